"""The asyncpg connection below SQLAlchemy, inside the transaction that the unit of work ends.

What is heard is kept by a few statements over arrays, which asyncpg prepares once per connection; SQLAlchemy's own
handling of them would cost as much as they do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from sqlalchemy.ext.asyncio import AsyncConnection

Row = Mapping[str, Any]
Value = object


class _Driver(Protocol):
    async def fetch(self, query: str, *args: Value) -> Sequence[Row]: ...

    async def execute(self, query: str, *args: Value) -> str: ...


class Session:
    """Runs statements. `$1` is a statement's first value; arrays are Python sequences. JSON goes in as text."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._driver: _Driver | None = None

    async def fetch(self, statement: str, *values: Value) -> Sequence[Row]:
        return await (await self._below()).fetch(statement, *values)

    async def execute(self, statement: str, *values: Value) -> None:
        await (await self._below()).execute(statement, *values)

    async def _below(self) -> _Driver:
        if self._driver is None:
            raw = await self._connection.get_raw_connection()
            self._driver = cast(_Driver, raw.driver_connection)
        return self._driver
