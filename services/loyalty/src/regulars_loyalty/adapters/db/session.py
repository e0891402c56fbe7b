"""The asyncpg connection below SQLAlchemy, in a transaction that somebody else begins and ends, or in none.

A batch of purchases is three statements over arrays; SQLAlchemy's own handling of them would cost more than they do.
asyncpg prepares each statement once per connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_loyalty.application.ports import Raced

Row = Mapping[str, Any]
Value = object

COUNT_VERSIONS = "SELECT count(*) FROM programmes"

PLANNING = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
"""The server's settings for the service's connections.

Prepared plans are kept from the first time on: planning anew costs a return as much as running its statements. They
are made while tables are small: no scan of a whole table may be in one.
"""


_LOST_RACES = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class _Driver(Protocol):
    async def fetch(self, query: str, *args: Value) -> Sequence[Row]: ...


class Session:
    """The statements of a unit. `$1` is a statement's first value; arrays are Python sequences.

    JSON goes in as text and comes back as Python's values: so SQLAlchemy sets its connections up.
    Every method raises `Raced` for a race that this unit lost: a deadlock, or what the writing statement says.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._driver: _Driver | None = None
        self._versions: int | None = None

    async def versions(self) -> int:
        """How many programme versions were published when the unit first asked, or when it last counted."""
        if self._versions is None:
            await self.count_versions()
        return self._versions or 0

    async def count_versions(self) -> None:
        self.note_versions((await self.fetch(COUNT_VERSIONS))[0]["count"])

    def note_versions(self, count: int) -> None:
        """Another statement has counted them."""
        self._versions = count

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        try:
            return await (await self._connected()).fetch(statement, *values)
        except _LOST_RACES as error:
            raise Raced(str(error)) from error

    async def first(self, statement: str, *values: Value) -> Row | None:
        rows = await self.fetch(statement, *values)
        return rows[0] if rows else None

    async def execute(self, statement: str, *values: Value) -> None:
        await self.fetch(statement, *values)

    async def _connected(self) -> _Driver:
        if self._driver is None:
            raw = await self._connection.get_raw_connection()
            self._driver = cast(_Driver, raw.driver_connection)
        return self._driver
