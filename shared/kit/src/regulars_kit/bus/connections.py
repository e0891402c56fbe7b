"""Connections of one's own to PostgreSQL, beside the pool: they hold advisory locks and listen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg

from regulars_kit.priority import bring_along

AWAY = (
    OSError,
    asyncpg.InterfaceError,
    # A connection that is cut in the middle of an exchange ends some of asyncpg's statements with this one.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
    # Only met while connecting: the database takes no connections for now, is not there (yet), or knows us not.
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
)
"""What asyncpg raises when the server is away, restarting, full, or has ended the connection (a timeout: OSError)."""

REPEATABLE: Mapping[str, str] = {
    "synchronous_commit": "off",
    "enable_bitmapscan": "off",
    "enable_seqscan": "off",
}
"""Settings of a session whose commits only say what was done: those that a crash of PostgreSQL takes back are said
again, so no flush is waited for (ADR 0018). It reads by indexes alone, since a plan made while a table was small would
read all of it for ever after."""


async def connect(
    url: str, name: str, *, command_timeout_s: float = 30.0, settings: Mapping[str, str] | None = None
) -> asyncpg.Connection[Any]:
    """A connection to `url` (SQLAlchemy's form or libpq's), seen in `pg_stat_activity` as `name`. Raises one of `AWAY`.

    `settings` are the session's (postgresql.conf names and values).
    A dead peer is found within a minute by TCP keep-alives of the server's side, and its locks are free again.
    """
    connection: asyncpg.Connection[Any] = await asyncpg.connect(
        dsn(url),
        timeout=5,
        command_timeout=command_timeout_s,
        server_settings={
            "application_name": name[:63],
            "timezone": "UTC",
            "tcp_keepalives_idle": "15",
            "tcp_keepalives_interval": "15",
            "tcp_keepalives_count": "3",
            **(settings or {}),
        },
    )
    bring_along(connection.get_server_pid())
    return connection


def dsn(url: str) -> str:
    """libpq's form of a SQLAlchemy url."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)
