"""Units of work: what is done in one transaction, alone or with other deliveries of the bus."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_kit.db import Database

Unit = TypeVar("Unit")


class Redelivered(Exception):
    """The event was handled before: roll back, move the offset on, do nothing else."""


class Transactions(Generic[Unit]):
    """Begins units of work: `async with begin() as unit`. What the unit announced is in the same commit.

    `on_commit` runs after each commit (it wakes the relay: a NOTIFY inside the transaction costs 2.4x of the writes).
    `before_commit` is the last that happens in each transaction: what units gathered is done there, all at once.
    With `each_statement` a unit is no transaction, but each of its statements is one: for those who read what need not
    belong together, and write with one statement or none.
    """

    def __init__(
        self,
        database: Database,
        make_unit: Callable[[AsyncConnection], Unit],
        on_commit: Callable[[], None] = lambda: None,
        *,
        before_commit: Callable[[Unit], Awaitable[None]] | None = None,
        delivery: tuple[str, UUID] | None = None,
        each_statement: bool = False,
    ) -> None:
        self._database = database
        self._make_unit = make_unit
        self._on_commit = on_commit
        self._before_commit = before_commit
        self._delivery = delivery
        self._connect = database.statements if each_statement else database.transaction

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Unit]:
        together = _together.get()
        if together is not None and self._delivery is not None and together.holds(self._database, *self._delivery):
            with together.delivering(self._delivery[1]):
                yield self._unit_of(together)
            return
        async with self._connect() as connection:
            if self._delivery is not None and not await _take_deliveries(connection, *self._delivery):
                raise Redelivered(str(self._delivery[1]))
            unit = self._make_unit(connection)
            yield unit
            await self._finish(unit)
        self._on_commit()

    def for_delivery(self, consumer: str, event_id: UUID) -> Transactions[Unit]:
        """The same transactions, with the inbox's row in each commit. They raise `Redelivered` the second time.

        Within `deliveries_together` they are parts of its one transaction, and share one unit.
        """
        return Transactions(
            self._database,
            self._make_unit,
            self._on_commit,
            before_commit=self._before_commit,
            delivery=(consumer, event_id),
        )

    async def _finish(self, unit: Unit) -> None:
        if self._before_commit is not None:
            await self._before_commit(unit)

    def _unit_of(self, together: _Together) -> Unit:
        if self._make_unit not in together.units:
            unit = self._make_unit(together.connection)
            together.units[self._make_unit] = unit
            together.before_commit.append(partial(self._finish, unit))
            together.on_commit.append(self._on_commit)
        made: Unit = together.units[self._make_unit]
        return made


@asynccontextmanager
async def deliveries_together(database: Database, consumer: str, event_ids: Sequence[UUID]) -> AsyncIterator[None]:
    """One transaction for many deliveries: those of `event_ids` that handlers begin within the block are parts of it.

    Committed at the end of the block, with the inbox's rows of all of them. Any error, and any delivery that failed
    even if its handler kept quiet about it, rolls all of it back and is raised.
    """
    async with database.transaction() as connection:
        fresh = await _take_deliveries(connection, consumer, *event_ids)
        together = _Together(connection, (database, consumer), frozenset(event_ids), fresh)
        token = _together.set(together)
        try:
            yield
            await together.finish()
        finally:
            _together.reset(token)
    for committed in together.on_commit:
        committed()


class _Together:
    """A transaction that several deliveries share. `fresh` are the events whose effect it may still have."""

    def __init__(
        self,
        connection: AsyncConnection,
        of: tuple[Database, str],
        event_ids: frozenset[UUID],
        fresh: set[UUID],
    ) -> None:
        self.connection = connection
        self.units: dict[object, Any] = {}
        self.before_commit: list[Callable[[], Awaitable[None]]] = []
        self.on_commit: list[Callable[[], None]] = []
        self._of = of
        self._event_ids = event_ids
        self._fresh = fresh
        self._failed: BaseException | None = None

    def holds(self, database: Database, consumer: str, event_id: UUID) -> bool:
        return (database, consumer) == self._of and event_id in self._event_ids

    @contextmanager
    def delivering(self, event_id: UUID) -> Iterator[None]:
        """The block is the effect of that event. Raises `Redelivered` when it had it before."""
        if event_id not in self._fresh:
            raise Redelivered(str(event_id))
        self._fresh.discard(event_id)
        try:
            yield
        except BaseException as error:
            self._failed = error
            raise

    async def finish(self) -> None:
        if self._failed is not None:
            raise self._failed
        for last in self.before_commit:
            await last()


_together: ContextVar[_Together | None] = ContextVar("together", default=None)

# Sorted: two members that were given the same events wait for each other in one order, and never in a circle.
_TAKE_DELIVERIES = text(
    """
    INSERT INTO inbox (consumer, event_id)
    SELECT :consumer, event_id FROM unnest(CAST(:event_ids AS uuid[])) AS delivery (event_id) ORDER BY event_id
    ON CONFLICT DO NOTHING RETURNING event_id
    """
)


async def _take_deliveries(connection: AsyncConnection, consumer: str, *event_ids: UUID) -> set[UUID]:
    """Those of the events that the consumer has not handled before; from now on it has, if this commits."""
    taken = await connection.execute(_TAKE_DELIVERIES, {"consumer": consumer, "event_ids": list(event_ids)})
    return set(taken.scalars())
