"""A transaction that fails tells why, also where the server does not live to hear of it."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from conformance.shop import PATIENCE_S
from regulars_kit.db import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection

    from conftest import FreshDatabase


class RuleBroken(Exception):
    pass


@pytest.fixture
async def database(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    """One connection: whoever spoils it is missed at once."""
    database = Database(await fresh_database(), name="rollback", pool_size=1)
    yield database
    await database.close()


async def backend_of(connection: AsyncConnection) -> int:
    return int(await connection.scalar(text("SELECT pg_backend_pid()")) or 0)


async def test_a_server_that_dies_before_the_rollback_does_not_hide_the_error(database: Database) -> None:
    with pytest.raises(RuleBroken):
        async with database.transaction() as connection:
            os.kill(await backend_of(connection), signal.SIGTERM)
            raise RuleBroken
    await database.ping()


async def test_a_rollback_that_hangs_hides_no_error_and_holds_nobody_up(database: Database) -> None:
    backend = 0
    try:
        with pytest.raises(RuleBroken):
            async with asyncio.timeout(PATIENCE_S), database.transaction() as connection:
                backend = await backend_of(connection)
                os.kill(backend, signal.SIGSTOP)
                raise RuleBroken
        await database.ping()
    finally:
        os.kill(backend, signal.SIGCONT)


async def test_who_is_called_off_during_a_rollback_leaves_no_open_transaction_behind(database: Database) -> None:
    failing = asyncio.Event()
    backends: list[int] = []

    async def fail() -> None:
        async with database.transaction() as connection:
            backends.append(await backend_of(connection))
            os.kill(backends[0], signal.SIGSTOP)
            failing.set()
            raise RuleBroken

    task = asyncio.create_task(fail())
    try:
        await failing.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await database.ping()
    finally:
        os.kill(backends[0], signal.SIGCONT)
