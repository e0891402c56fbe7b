"""The scoring service on real PostgreSQL, and a shop that it watches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from regulars_kit.migrations import migrate
from scoring.opening import opened
from scoring.shop import Shop, a_crowd

if TYPE_CHECKING:
    from regulars.postgres import PostgresServer


@pytest.fixture(scope="session")
async def database(postgres: PostgresServer) -> str:
    """One database for all tests that begin with nothing: making one for each would take longer than they do."""
    url = await postgres.create_database("tests_of_scoring")
    await migrate(url, "regulars_scoring")
    return url


@pytest.fixture
async def shop(database: str) -> AsyncIterator[Shop]:
    """A shop without customers, in Berlin, on 30 June 2026."""
    async with opened(database) as shop:
        await shop.begins_anew()
        yield shop


@pytest.fixture(scope="session")
async def untouched(postgres: PostgresServer) -> AsyncIterator[Shop]:
    """An empty shop for all tests after which it is still empty."""
    url = await postgres.create_database("an_untouched_shop")
    await migrate(url, "regulars_scoring")
    async with opened(url) as shop:
        yield shop


@pytest.fixture(scope="session")
async def scored_database(postgres: PostgresServer) -> str:
    """The name of a database with a crowd and a run, to be copied."""
    url = await postgres.create_database("template_of_a_scored_shop")
    await migrate(url, "regulars_scoring")
    async with opened(url) as shop:
        await shop.hear(*a_crowd())
        assert (await shop.run())["state"] == "completed"
    return "template_of_a_scored_shop"


@pytest.fixture
async def scored(postgres: PostgresServer, scored_database: str) -> AsyncIterator[Shop]:
    """A shop with a crowd and a run."""
    name = f"test_{uuid4().hex}"
    async with opened(await postgres.create_database(name, template=scored_database)) as shop:
        yield shop
    await postgres.drop_database(name)
