"""The asyncpg connection below SQLAlchemy, inside the transaction that SQLAlchemy ends.

A purchase is five statements; SQLAlchemy's own handling of them would cost as much as they do. asyncpg prepares each
once per connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from sqlalchemy.ext.asyncio import AsyncConnection

Row = Mapping[str, Any]


class _Driver(Protocol):
    async def fetch(self, query: str, *args: object) -> Sequence[Row]: ...

    async def execute(self, query: str, *args: object) -> str: ...


class Session:
    """One transaction's statements. `$1` is a statement's first value; arrays are Python sequences.

    JSON goes in as text and comes back as Python's values: so SQLAlchemy sets its connections up.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self._driver: _Driver | None = None

    async def fetch(self, statement: str, *values: object) -> Sequence[Row]:
        return await (await self._begun()).fetch(statement, *values)

    async def first(self, statement: str, *values: object) -> Row | None:
        rows = await self.fetch(statement, *values)
        return rows[0] if rows else None

    async def execute(self, statement: str, *values: object) -> None:
        await (await self._begun()).execute(statement, *values)

    async def _begun(self) -> _Driver:
        if self._driver is None:
            raw = await self.connection.get_raw_connection()
            self._driver = cast(_Driver, raw.driver_connection)
        return self._driver
