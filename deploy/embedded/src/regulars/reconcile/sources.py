"""Where the databases and the bus of a home are, by what its run has left there for others to read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

import regulars_campaign.adapters.bus.heard
import regulars_customer.adapters.bus.heard
import regulars_gateway.adapters.bus.heard
import regulars_loyalty.adapters.bus.heard
import regulars_scoring.adapters.bus.heard
from regulars.cluster import SUPERUSER
from regulars.home import HOME_VERSION, is_in_use
from regulars.postgres import PostgresServer
from regulars_kit.bus.lag import Lag, kafka_lags, postgres_lags
from regulars_kit.values import Unavailable

_HEARD = (
    regulars_campaign.adapters.bus.heard,
    regulars_customer.adapters.bus.heard,
    regulars_gateway.adapters.bus.heard,
    regulars_loyalty.adapters.bus.heard,
    regulars_scoring.adapters.bus.heard,
)
GROUPS: Mapping[str, Sequence[str]] = {heard.GROUP: heard.TOPICS for heard in _HEARD}
"""Who hears what on the bus."""


class CannotLook(Exception):
    """The message is one plain line that says why there is nothing to compare, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Sources:
    """`server` is how asyncpg reaches PostgreSQL. `kafka` None: the bus is a database beside the others."""

    server: Mapping[str, Any] = field(repr=False)
    kafka: str | None = None

    @asynccontextmanager
    async def reading(self, database: str) -> AsyncIterator[Any]:
        """A connection that sees one instant of a database (without its `regulars_`) and can change nothing.

        Raises `CannotLook`, also for what fails inside.
        """
        try:
            connection = await asyncpg.connect(**self.server, database=f"regulars_{database}", timeout=10)
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    yield connection
            finally:
                connection.terminate()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise CannotLook(f"the databases cannot be read: {reason}.") from error

    async def lags(self) -> list[Lag]:
        """How far every group is behind. Raises `CannotLook`."""
        if self.kafka is None:
            async with self.reading("bus") as connection:
                return await postgres_lags(connection)
        try:
            return await kafka_lags(self.kafka, GROUPS)
        except Unavailable as error:
            raise CannotLook(f"Kafka at {self.kafka} cannot be asked: {error.detail}.") from error


def sources_of(home: Path) -> Sources:
    """Those of the home that is running there. Raises `CannotLook`."""
    home = home.absolute()
    try:
        version, command = ((home / name).read_text().strip() for name in ("VERSION", "run-by"))
    except OSError:
        raise CannotLook(f"{home} is no home of Regulars: give one with --home.") from None
    if version != HOME_VERSION:
        raise CannotLook(f"the home {home} is of version {version[:20]}, this Regulars reads version {HOME_VERSION}.")
    if not is_in_use(home):
        raise CannotLook(f"nothing runs on the home {home}: start it with `regulars {command} --home {home}`.")
    return _of_cluster(home) if command == "cluster" else _of_embedded(home)


def _of_embedded(home: Path) -> Sources:
    return Sources({"host": str(PostgresServer(home / "postgres").socket_dir), "user": SUPERUSER})


def _of_cluster(home: Path) -> Sources:
    try:
        known = json.loads((home / "cluster.json").read_text())
        password = (home / "postgres-password").read_text().strip()
    except OSError as error:
        raise CannotLook(f"{error.filename} cannot be read: {error.strerror}.") from error
    host, _, port = known["postgres"].partition(":")
    return Sources({"host": host, "port": int(port), "user": SUPERUSER, "password": password}, known["kafka"])
