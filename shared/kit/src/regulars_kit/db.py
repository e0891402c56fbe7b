"""A service's own database: one engine, one way to begin a transaction, one error when it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from regulars_kit.values import Unavailable

Unit = TypeVar("Unit")

PING_TIMEOUT_S = 2.0


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
        if driver.is_closed():
            # The pool would hand it out again: it looks at a connection only when SQLAlchemy itself has met an error.
            await connection.invalidate()
        elif driver.is_in_transaction():
            await driver.execute("ROLLBACK")


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
    """

    def __init__(
        self,
        database: Database,
        make_unit: Callable[[AsyncConnection], Unit],
        on_commit: Callable[[], None] = lambda: None,
        *,
        delivery: tuple[str, UUID] | None = None,
    ) -> None:
        self._database = database
        self._make_unit = make_unit
        self._on_commit = on_commit
        self._delivery = delivery

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Unit]:
        async with self._database.transaction() as connection:
            if self._delivery is not None:
                await self._take_delivery(connection, *self._delivery)
            yield self._make_unit(connection)
        self._on_commit()

    def for_delivery(self, consumer: str, event_id: UUID) -> Transactions[Unit]:
        """The same transactions, with the inbox's row in each commit. They raise `Redelivered` the second time."""
        return Transactions(self._database, self._make_unit, self._on_commit, delivery=(consumer, event_id))

    @staticmethod
    async def _take_delivery(connection: AsyncConnection, consumer: str, event_id: UUID) -> None:
        taken = await connection.execute(
            text("INSERT INTO inbox (consumer, event_id) VALUES (:consumer, :event_id) ON CONFLICT DO NOTHING"),
            {"consumer": consumer, "event_id": event_id},
        )
        if taken.rowcount == 0:
            raise Redelivered(str(event_id))
