"""Migrations of a service's database: Alembic, driven from here; a service has the folder of its versions alone."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from regulars_kit.bus.connections import AWAY, connect
from regulars_kit.values import Unavailable

MIGRATION_LOCK = 7_302
"""Advisory lock of whoever migrates a service's database: processes that start together take turns."""

_LOCK_POLL_S = 0.1

# Alembic keeps the migration that runs in module globals, so two of one process must not overlap.
_ALEMBIC = threading.Lock()


async def migrate(url: str, package: str) -> None:
    """Bring the database to the newest version of `<package>/adapters/db/migrations/versions`.

    In a thread with a loop of its own: Alembic is synchronous, and the caller may be serving. Raises `Unavailable`.
    """
    await asyncio.to_thread(_migrate, url, versions_of(package))


async def ensure_database(admin_url: str, name: str) -> None:
    """Make the database `name` unless it is there; `admin_url` leads to another one. Raises `Unavailable`."""
    try:
        connection = await connect(admin_url, "ensure database")
        try:
            if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name):
                quoted = await connection.fetchval("SELECT quote_ident($1)", name)
                await connection.execute(f"CREATE DATABASE {quoted}")
        # Another process was quicker: the one error or the other, by how close it was.
        except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
            pass
        finally:
            await connection.close()
    except AWAY as error:
        raise Unavailable("the database server is away; try again") from error


def versions_of(package: str) -> Path:
    """The folder of a service's migrations, from the checkout or from an installed wheel."""
    folder = Path(importlib.import_module(package).__path__[0], "adapters", "db", "migrations", "versions")
    if not folder.is_dir():
        raise FileNotFoundError(f"{package} has no migrations: {folder}")
    return folder


def _migrate(url: str, versions: Path) -> None:
    with _ALEMBIC:
        asyncio.run(_upgrade(url, versions))


async def _upgrade(url: str, versions: Path) -> None:
    engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": 5})
    try:
        async with _alone(engine), engine.connect() as connection:
            await connection.run_sync(_upgrade_on, versions)
            await connection.commit()
    except AWAY as error:
        raise Unavailable("the database is away; try again") from error
    finally:
        await engine.dispose()


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[None]:
    """Hold the migration lock on a connection beside the migrating one.

    Asked for again and again: a statement that waits for it would hold a snapshot, and CREATE INDEX CONCURRENTLY in
    the process ahead would wait for that snapshot for ever.
    """
    async with engine.connect() as connection:
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        ask = text("SELECT pg_try_advisory_lock(:lock)")
        while not await connection.scalar(ask, {"lock": MIGRATION_LOCK}):  # noqa: ASYNC110
            await asyncio.sleep(_LOCK_POLL_S)
        yield


def _upgrade_on(connection: Connection, versions: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    # Paths are separated by newlines, the one character that a checkout's folder does not have.
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
