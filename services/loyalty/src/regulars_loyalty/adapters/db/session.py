"""The asyncpg connection below SQLAlchemy, inside the transaction that SQLAlchemy ends.

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

_COUNT_VERSIONS = "SELECT count(*) FROM programmes"
# The first statement of every unit. Prepared plans are kept from the first time on: planning anew costs a return as
# much as running its statements. They are made while tables are small: no scan of a whole table may be in one.
_BEGIN = f"""
    SELECT ({_COUNT_VERSIONS}) AS count
    FROM set_config('enable_seqscan', 'off', true) AS scans,
        set_config('plan_cache_mode', 'force_generic_plan', true) AS plans
"""


class _Driver(Protocol):
    async def fetch(self, query: str, *args: Value) -> Sequence[Row]: ...

    async def execute(self, query: str, *args: Value) -> str: ...


class Session:
    """One transaction's statements. `$1` is a statement's first value; arrays are Python sequences.

    JSON goes in as text and comes back as Python's values: so SQLAlchemy sets its connections up.
    A deadlock is a race that this transaction lost: every method raises `Raced` for it.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._driver: _Driver | None = None
        self._versions = 0

    async def versions(self) -> int:
        """How many programme versions were published when the unit began, or when it last counted."""
        await self._begun()
        return self._versions

    async def count_versions(self) -> None:
        self._versions = int((await self.fetch(_COUNT_VERSIONS))[0]["count"])

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        try:
            return await (await self._begun()).fetch(statement, *values)
        except asyncpg.DeadlockDetectedError as error:
            raise Raced("a deadlock was resolved against this transaction") from error

    async def first(self, statement: str, *values: Value) -> Row | None:
        rows = await self.fetch(statement, *values)
        return rows[0] if rows else None

    async def execute(self, statement: str, *values: Value) -> None:
        try:
            await (await self._begun()).execute(statement, *values)
        except asyncpg.DeadlockDetectedError as error:
            raise Raced("a deadlock was resolved against this transaction") from error

    async def _begun(self) -> _Driver:
        if self._driver is None:
            raw = await self._connection.get_raw_connection()
            self._driver = cast(_Driver, raw.driver_connection)
            self._versions = int((await self._driver.fetch(_BEGIN))[0]["count"])
        return self._driver
