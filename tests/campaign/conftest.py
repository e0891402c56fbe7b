from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from campaign.shop import Desk, Shop, WallClock, a_service
from campaign.tables import empty
from regulars_kit.migrations import migrate
from regulars_kit.service import Service

if TYPE_CHECKING:
    from regulars.postgres import PostgresServer


@pytest.fixture(scope="session")
def clock() -> WallClock:
    return WallClock()


@pytest.fixture(scope="session")
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="session")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("letters")


@pytest.fixture(scope="session")
async def service(postgres: PostgresServer, clock: WallClock, desk: Desk, sink: Path) -> AsyncIterator[Service]:
    """One service for all tests of the folder: a database for each would take longer than the tests."""
    url = await postgres.create_database("tests_of_campaign")
    await migrate(url, "regulars_campaign")
    service = a_service(url, desk, clock, sink_dir=sink)
    yield service
    await service.database.close()


def throw_away(sink: Path) -> None:
    for letter in sink.iterdir():
        letter.unlink()


@pytest.fixture
async def shop(service: Service, clock: WallClock, desk: Desk, sink: Path) -> AsyncIterator[Shop]:
    """A shop of which nothing is known, at noon in Berlin."""
    clock.now = WallClock().now
    desk.forget()
    throw_away(sink)
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://campaign") as client:
        yield Shop(service, client, clock, desk, sink)
    await empty(service.database)
