from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import httpx
import pytest
from sqlalchemy import text

from customer.shop import Shop, a_verifier, settings_for
from regulars_customer.bootstrap import build
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.migrations import migrate
from regulars_kit.service import Service

if TYPE_CHECKING:
    from regulars.postgres import PostgresServer

_TABLES = (
    *("consents", "identifiers", "customers", "outbox", "idempotency"),
    *("sales", "life_cycles", "parts", "timeline", "inbox", "dead_letters"),
)


@pytest.fixture(scope="session")
async def service(postgres: PostgresServer) -> AsyncIterator[Service]:
    """One service for all tests of the folder: a database for each would take longer than the tests."""
    url = await postgres.create_database("tests_of_customer")
    await migrate(url, "regulars_customer")
    service = build(settings_for(url), MemoryBus(), a_verifier())
    yield service
    await service.database.close()


@pytest.fixture
async def shop(service: Service) -> AsyncIterator[Shop]:
    """A shop without customers."""
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://customer") as client:
        yield Shop(service, client)
    async with service.database.transaction() as connection:
        for table in _TABLES:
            await connection.execute(text(f"DELETE FROM {table}"))
