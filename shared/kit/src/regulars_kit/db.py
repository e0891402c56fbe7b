"""A service's own database: one engine, one way to begin a transaction, one error when it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from regulars_kit.priority import bring_along
from regulars_kit.values import Unavailable

Unit = TypeVar("Unit")

PING_TIMEOUT_S = 2.0
ROLLBACK_TIMEOUT_S = 1.0


class Redelivered(Exception):
    """The event was handled before: roll back, move the offset on, do nothing else."""


class Database:
    """A pool of connections to one PostgreSQL database, `url` in SQLAlchemy's form (`postgresql+asyncpg://…`).

    `statement_timeout_s` bounds every statement; a pool that stays empty for `checkout_timeout_s` is `Unavailable`.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        pool_size: int = 10,
        statement_timeout_s: float = 30,
        checkout_timeout_s: float = 5,
    ) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            # An error's text goes to the log, and a statement's values may name a person.
            hide_parameters=True,
            pool_timeout=checkout_timeout_s,
            # `transaction` begins and ends each one on the driver itself: SQLAlchemy's own way, in a greenlet of its
            # own each time, would cost a purchase as much as one of its statements.
            isolation_level="AUTOCOMMIT",
            connect_args={
                "timeout": 5,
                "command_timeout": statement_timeout_s,
                "server_settings": {"application_name": name, "timezone": "UTC"},
            },
        )

        event.listen(self.engine.sync_engine, "connect", _on_connect)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back by any error. Raises `Unavailable`."""
        try:
            async with self.engine.connect() as connection, _transaction_on(connection):
                yield connection
        # The internal error is asyncpg's for a connection that was cut in the middle of an exchange.
        except (OSError, PoolTimeout, asyncpg.PostgresConnectionError, asyncpg.InternalClientError) as error:
            raise Unavailable("the database is away; try again") from error
        except asyncpg.exceptions.OperatorInterventionError as error:
            raise Unavailable("the database is restarting; try again") from error
        except asyncpg.exceptions.InsufficientResourcesError as error:
            raise Unavailable("the database is full or has no connection free; try again") from error
        except DBAPIError as error:
            if error.connection_invalidated or _is_outage(error):
                raise Unavailable("the database is away; try again") from error
            raise

    async def ping(self) -> None:
        """Return when the database answers. Raises `Unavailable` when it does not within two seconds."""
        try:
            async with asyncio.timeout(PING_TIMEOUT_S), self.transaction() as connection:
                await connection.execute(text("SELECT 1"))
        except TimeoutError as error:
            raise Unavailable("the database does not answer; try again") from error

    async def close(self) -> None:
        await self.engine.dispose()


def _on_connect(connection: Any, _: object) -> None:
    bring_along(connection.driver_connection.get_server_pid())


@asynccontextmanager
async def _transaction_on(connection: AsyncConnection) -> AsyncIterator[None]:
    driver = await _live_driver(connection)
    try:
        await driver.execute("BEGIN")
        yield
        await driver.execute("COMMIT")
    except asyncpg.InterfaceError as error:
        if driver.is_closed():
            raise Unavailable("the database is away; try again") from error
        raise
    finally:
        if driver.is_in_transaction():
            await _roll_back(driver)
        if driver.is_closed():
            # The pool would hand it out again: it looks at a connection only when SQLAlchemy itself has met an error.
            await connection.invalidate()


async def _roll_back(driver: asyncpg.Connection[asyncpg.Record]) -> None:
    """Roll back, or cut the connection, by which the server rolls back.

    Raises nothing of its own: the caller is told of what went wrong before.
    """
    try:
        async with asyncio.timeout(ROLLBACK_TIMEOUT_S):
            await driver.execute("ROLLBACK")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        driver.terminate()
    except asyncio.CancelledError:
        driver.terminate()
        raise


async def _live_driver(connection: AsyncConnection) -> asyncpg.Connection[asyncpg.Record]:
    """asyncpg's connection; another one when it died with its server while it lay in the pool."""
    driver: asyncpg.Connection[asyncpg.Record] = (await connection.get_raw_connection()).driver_connection
    if driver.is_closed():
        await connection.invalidate()
        driver = (await connection.get_raw_connection()).driver_connection
    return driver


# SQLSTATE classes: 08 connection, 53 resources (disk full, too many connections), 57P shutdown, 58 system; and what is
# met only while connecting: 55000 no connections allowed for now, 3D000 no such database (yet), 28 not let in.
_OUTAGES = ("08", "53", "57P", "58", "55000", "3D000", "28")


def _is_outage(error: DBAPIError) -> bool:
    return str(getattr(error.orig, "sqlstate", None) or "").startswith(_OUTAGES)


class Transactions(Generic[Unit]):
    """Begins units of work: `async with begin() as unit`. What the unit announced is in the same commit.

    `on_commit` runs after each commit (it wakes the relay: a NOTIFY inside the transaction costs 2.4x of the writes).
    `before_commit` is the last that happens in each transaction: what units gathered is done there, all at once.
    """

    def __init__(
        self,
        database: Database,
        make_unit: Callable[[AsyncConnection], Unit],
        on_commit: Callable[[], None] = lambda: None,
        *,
        before_commit: Callable[[Unit], Awaitable[None]] | None = None,
        delivery: tuple[str, UUID] | None = None,
    ) -> None:
        self._database = database
        self._make_unit = make_unit
        self._on_commit = on_commit
        self._before_commit = before_commit
        self._delivery = delivery

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Unit]:
        together = _together.get()
        if together is not None and self._delivery is not None and together.holds(self._database, *self._delivery):
            with together.delivering(self._delivery[1]):
                yield self._unit_of(together)
            return
        async with self._database.transaction() as connection:
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
