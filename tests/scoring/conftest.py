"""The scoring service on real PostgreSQL, and a shop that it watches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import httpx
import pytest

from regulars_kit.bus.memory import MemoryBus
from regulars_scoring.bootstrap import build
from scoring.shop import Shop, Watch, a_verifier, settings_for

if TYPE_CHECKING:
    from conftest import FreshDatabase


@pytest.fixture
async def shop(fresh_database: FreshDatabase) -> AsyncIterator[Shop]:
    """A shop without customers, in Berlin, on 30 June 2026."""
    watch = Watch()
    service = build(settings_for(await fresh_database("regulars_scoring")), MemoryBus(), a_verifier(), watch)
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://scoring") as client:
        yield Shop(service, client, watch)
    await service.database.close()
