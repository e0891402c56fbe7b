"""A shop small enough for the bus's laws: numbered events of customers, and a handler that writes down what it saw."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_kit import inbox, outbox
from regulars_kit.bus import Message
from regulars_kit.db import Database
from regulars_kit.transactions import Transactions

SOLD = "shop.sold.v1"
PATIENCE_S = 30.0
"""Never a measure of speed: how long a test waits before it says that something will not come."""

# No unique index on what was handled: an event handled twice must show.
_DDL = (
    *outbox.DDL,
    *inbox.DDL,
    "CREATE TABLE handled (place bigint GENERATED ALWAYS AS IDENTITY, key text, number int)",
)


def a_sale(key: str, number: int, *, type_: str = SOLD, at: datetime | None = None) -> Message:
    event_id = uuid4()
    envelope = {
        "specversion": "1.0",
        "id": str(event_id),
        "source": "/regulars/shop",
        "type": type_,
        "time": (at or datetime.now(UTC)).isoformat(),
        "subject": key,
        "data": {"key": key, "number": number},
    }
    return Message(event_id, type_, key, json.dumps(envelope).encode())


def sales(keys: int, each: int, *, first: int = 0) -> list[Message]:
    """`each` sales of every customer, numbered from `first`, the customers taking turns."""
    return [a_sale(f"customer-{key}", number) for number in range(first, first + each) for key in range(keys)]


async def open_shop(url: str) -> Database:
    """A database with outbox, inbox, dead letters and the table of what was handled."""
    database = Database(url, name="shop")
    async with database.transaction() as connection:
        for statement in _DDL:
            await connection.execute(text(statement))
    return database


async def sell(database: Database, messages: list[Message]) -> None:
    async with database.transaction() as connection:
        await outbox.append(connection, messages)


class Recorder:
    """Handles sales: the number goes into `handled`, in the inbox row's commit. `before` runs first and may raise."""

    def __init__(self, database: Database, group: str, before: Callable[[str, int], None] = lambda *_: None) -> None:
        self.seen: list[tuple[str, int]] = []
        self._begin = Transactions(database, _Unit)
        self._group = group
        self._before = before
        self._changed = asyncio.Condition()

    async def __call__(self, event_id: UUID, body: bytes) -> None:
        sale = json.loads(body)["data"]
        self._before(sale["key"], sale["number"])
        async with self._begin.for_delivery(self._group, event_id)() as unit:
            await unit.write_down(sale["key"], sale["number"])
        self.seen.append((sale["key"], sale["number"]))
        async with self._changed:
            self._changed.notify_all()

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(reached)


class _Unit:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def write_down(self, key: str, number: int) -> None:
        statement = text("INSERT INTO handled (key, number) VALUES (:key, :number)")
        await self._connection.execute(statement, {"key": key, "number": number})


async def handled(database: Database) -> dict[str, list[int]]:
    """Customer -> the numbers of their sales, in the order they were handled."""
    async with database.transaction() as connection:
        rows = await connection.execute(text("SELECT key, number FROM handled ORDER BY place"))
    numbers: dict[str, list[int]] = defaultdict(list)
    for key, number in rows:
        numbers[key].append(number)
    return dict(numbers)


def each_once(keys: int, each: int) -> dict[str, list[int]]:
    """What `handled` must be after `sales(keys, each)`: nothing lost, nothing twice, each customer's in order."""
    return {f"customer-{key}": list(range(each)) for key in range(keys)}
