"""Connections of one's own to PostgreSQL, beside the pool: they hold advisory locks and listen."""

from __future__ import annotations

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


async def connect(url: str, name: str, *, command_timeout_s: float = 30.0) -> asyncpg.Connection[Any]:
    """A connection to `url` (SQLAlchemy's form or libpq's), seen in `pg_stat_activity` as `name`. Raises one of `AWAY`.

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
        },
    )
    bring_along(connection.get_server_pid())
    return connection


def dsn(url: str) -> str:
    """libpq's form of a SQLAlchemy url."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)
