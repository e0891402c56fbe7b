"""The asyncpg connection below SQLAlchemy, inside the transaction that SQLAlchemy ends.

A batch of purchases is some statements over arrays; SQLAlchemy's own handling of them would cost as much as they do.
asyncpg prepares each once per connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_kit.bus import Message
from regulars_scoring.domain.facts import Fact

Row = Mapping[str, Any]

ToMessage = Callable[[Fact], Message]
"""Puts a fact into the words of the bus."""


class _Driver(Protocol):
    async def fetch(self, query: str, *args: object) -> Sequence[Row]: ...

    async def execute(self, query: str, *args: object) -> str: ...


class Session:
    """One transaction's statements. `$1` is a statement's first value; arrays are Python sequences.

    JSON goes in as text and comes back as Python's values: so SQLAlchemy sets its connections up. `first` is said
    before any other statement.
    """

    def __init__(self, connection: AsyncConnection, first: str | None = None) -> None:
        self.connection = connection
        self._driver: _Driver | None = None
        self._first = first

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
            if self._first is not None:
                await self._driver.execute(self._first)
        return self._driver
