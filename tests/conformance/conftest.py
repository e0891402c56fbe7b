from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from conformance.rig import Rig, open_bus
from conformance.shop import open_shop
from regulars_kit.db import Database

if TYPE_CHECKING:
    from conftest import FreshDatabase
    from regulars.distributed.broker import KafkaBroker


@pytest.fixture(params=["memory", "postgres", "kafka"])
async def rig(request: pytest.FixtureRequest, fresh_database: FreshDatabase) -> AsyncIterator[Rig]:
    """The same laws for every bus."""
    address = ""
    if request.param == "postgres":
        address = await fresh_database()
    if request.param == "kafka":
        broker: KafkaBroker = request.getfixturevalue("kafka")
        address = broker.bootstrap_servers
    rig = Rig(request.param, address, open_bus(request.param, address))
    yield rig
    await rig.bus.close()


@pytest.fixture
async def shop(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = await open_shop(await fresh_database())
    yield database
    await database.close()
