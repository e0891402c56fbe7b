"""The loyalty service on real PostgreSQL, a shop that speaks to it, and a desk without HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import httpx
import pytest
from sqlalchemy import text

from loyalty.db_rig import Rig, a_message
from loyalty.desk import Desk
from loyalty.memory import MemoryDatabase
from loyalty.shop import Shop, a_verifier, settings_for
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.db import Database
from regulars_kit.migrations import migrate
from regulars_kit.service import Service
from regulars_kit.transactions import Transactions
from regulars_loyalty.adapters.db.programmes import ProgrammeCache
from regulars_loyalty.adapters.db.unit import PostgresUnit
from regulars_loyalty.bootstrap import build

if TYPE_CHECKING:
    from conftest import FreshDatabase
    from regulars.postgres import PostgresServer

_KEPT = {"programmes", "alembic_version"}


@pytest.fixture(params=["memory", "postgres"])
async def desk(request: pytest.FixtureRequest, fresh_database: FreshDatabase) -> AsyncIterator[Desk]:
    """A desk on each database that units of work run on: the real one, and the one in memory that passes for it."""
    if request.param == "memory":
        yield Desk(MemoryDatabase().begin)
        return
    database = Database(await fresh_database("regulars_loyalty"), name="conformance", pool_size=3)
    cache = ProgrammeCache()
    yield Desk(Transactions(database, lambda connection: PostgresUnit(connection, cache, a_message)))
    await database.close()


@pytest.fixture
async def url(fresh_database: FreshDatabase) -> str:
    """Of an empty loyalty database."""
    return await fresh_database("regulars_loyalty")


@pytest.fixture
async def rig(url: str) -> AsyncIterator[Rig]:
    """A process with the plainest programme; files of tests that ask for another have a rig of their own."""
    rig = Rig(url)
    await rig.publish()
    yield rig
    await rig.close()


@pytest.fixture
async def other(url: str, rig: Rig) -> AsyncIterator[Rig]:
    """A second process of the same service."""
    other = Rig(url)
    yield other
    await other.close()


@pytest.fixture
async def service(fresh_database: FreshDatabase) -> AsyncIterator[Service]:
    """The service on an empty database of its own."""
    service = build(settings_for(await fresh_database("regulars_loyalty")), MemoryBus(), a_verifier())
    yield service
    await service.database.close()


@pytest.fixture
async def shop(service: Service) -> AsyncIterator[Shop]:
    """A shop without a programme, on a database of its own."""
    async with _open(service) as client:
        yield Shop(service, client)


@pytest.fixture(scope="session")
async def club_service(postgres: PostgresServer) -> AsyncIterator[Service]:
    """One service for all tests of the plainest programme: a database for each would take longer than they do."""
    url = await postgres.create_database("tests_of_loyalty")
    await migrate(url, "regulars_loyalty")
    service = build(settings_for(url), MemoryBus(), a_verifier())
    async with _open(service) as client:
        await Shop(service, client).publish()
    yield service
    await service.database.close()


@pytest.fixture
async def club(club_service: Service) -> AsyncIterator[Shop]:
    """A shop with the plainest programme (a point per euro that never ends, a cent each), where nobody bought yet."""
    await _empty(club_service)
    async with _open(club_service) as client:
        yield Shop(club_service, client)


def _open(service: Service) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=service.app), base_url="http://loyalty")


async def _empty(service: Service) -> None:
    async with service.database.transaction() as connection:
        names = await connection.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        )
        tables = [name for name in names if name not in _KEPT and not name.startswith("outbox_")]
        # The ledger forbids it to everybody but the owner of the server, whose triggers this puts to sleep.
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(text(f"TRUNCATE {', '.join(tables)}"))
