"""A service's own database: one engine, one way to begin a transaction, one error when it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from regulars_kit.priority import bring_along
from regulars_kit.values import Unavailable

_Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

PING_TIMEOUT_S = 2.0
ROLLBACK_TIMEOUT_S = 1.0


class Database:
    """A pool of connections to one PostgreSQL database, `url` in SQLAlchemy's form (`postgresql+asyncpg://…`).

    `statement_timeout_s` bounds every statement; a pool that stays empty for `checkout_timeout_s` is `Unavailable`.
    `settings` are the server's for each of the connections.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        pool_size: int = 10,
        statement_timeout_s: float = 30,
        checkout_timeout_s: float = 5,
        settings: Mapping[str, str] = MappingProxyType({}),
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
                "server_settings": {"application_name": name, "timezone": "UTC", **settings},
            },
        )

        event.listen(self.engine.sync_engine, "connect", _on_connect)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back by any error. Raises `Unavailable`."""
        async with self._connected() as (connection, driver):
            await driver.execute("BEGIN")
            yield connection
            await driver.execute("COMMIT")

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which each statement is a transaction of its own. Raises `Unavailable`."""
        async with self._connected() as (connection, _):
            yield connection

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[AsyncConnection, _Driver]]:
        try:
            async with self.engine.connect() as connection, _driver_of(connection) as driver:
                yield connection, driver
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
async def _driver_of(connection: AsyncConnection) -> AsyncIterator[_Driver]:
    """asyncpg's connection, out of any transaction again at the end of the block."""
    driver = await _live_driver(connection)
    try:
        yield driver
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


async def _roll_back(driver: _Driver) -> None:
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


async def _live_driver(connection: AsyncConnection) -> _Driver:
    """asyncpg's connection; another one when it died with its server while it lay in the pool."""
    driver: _Driver = (await connection.get_raw_connection()).driver_connection
    if driver.is_closed():
        await connection.invalidate()
        driver = (await connection.get_raw_connection()).driver_connection
    return driver


# SQLSTATE classes: 08 connection, 53 resources (disk full, too many connections), 57P shutdown, 58 system; and what is
# met only while connecting: 55000 no connections allowed for now, 3D000 no such database (yet), 28 not let in.
_OUTAGES = ("08", "53", "57P", "58", "55000", "3D000", "28")


def _is_outage(error: DBAPIError) -> bool:
    return str(getattr(error.orig, "sqlstate", None) or "").startswith(_OUTAGES)
