from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest

from gateway.desk import Desk, a_gateway, settings_for
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.values import Clock, utc_now

if TYPE_CHECKING:
    from conftest import FreshDatabase


class OpenDesk(Protocol):
    """Opens a gateway with these settings, on a database of its own unless `url` names one."""

    async def __call__(self, *, url: str | None = None, clock: Clock = utc_now, **said: Any) -> Desk: ...


@pytest.fixture
async def open_desk(fresh_database: FreshDatabase) -> AsyncIterator[OpenDesk]:
    async with AsyncExitStack() as stack:

        async def open_one(*, url: str | None = None, clock: Clock = utc_now, **said: Any) -> Desk:
            settings = settings_for(url or await fresh_database("regulars_gateway"), **said)
            bus = MemoryBus()
            service = a_gateway(settings, bus, clock)
            stack.push_async_callback(service.database.close)
            await stack.enter_async_context(service.app.router.lifespan_context(service.app))
            transport = httpx.ASGITransport(app=service.app)
            client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://gateway"))
            return Desk(service, client, bus)

        yield open_one


@pytest.fixture
async def desk(open_desk: OpenDesk) -> Desk:
    return await open_desk()
