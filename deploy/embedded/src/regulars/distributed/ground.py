"""What the services of one machine stand on: PostgreSQL over TCP with a role for each service, Kafka, the keys."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg
from sqlalchemy.exc import DBAPIError

from regulars.cluster import SUPERUSER
from regulars.distributed.services import Entry, Ground
from regulars.home import Home
from regulars.postgres import PostgresServer
from regulars.refusals import CannotStart
from regulars_kit.migrations import ensure_database, migrate
from regulars_kit.values import Unavailable

MAX_CONNECTIONS = "400"


@dataclass(frozen=True, slots=True)
class Databases:
    """The server of a home on a port of 127.0.0.1. `secret` is the superuser's password; the services' come from it."""

    home: Home
    port: int
    secret: str

    def server(self) -> PostgresServer:
        settings = {"max_connections": MAX_CONNECTIONS}
        return PostgresServer(self.home.postgres_dir, port=self.port, password=self.secret, settings=settings)

    def url(self, database: str) -> str:
        """A service's own database, as its own role: it can reach no other."""
        return self._url(database, database, self.password(database))

    def password(self, role: str) -> str:
        return hmac.new(self.secret.encode(), role.encode(), hashlib.sha256).hexdigest()

    async def prepare(self, entries: Sequence[Entry]) -> None:
        """A role and a database for each service, brought to the newest version. Raises `CannotStart`."""
        try:
            for entry in entries:
                await ensure_database(self._url("postgres", SUPERUSER, self.secret), entry.database)
            await self._hand_over([entry.database for entry in entries])
            for entry in entries:
                await migrate(self.url(entry.database), entry.package)
        except (Unavailable, DBAPIError, asyncpg.PostgresError) as error:
            cause = getattr(error.__cause__, "orig", error.__cause__) or getattr(error, "orig", error)
            raise CannotStart(f"the databases cannot be prepared: {' '.join(str(cause).split())}.") from error

    async def _hand_over(self, names: Sequence[str]) -> None:
        """Make each role that is missing, with its password, and let it alone have its database."""
        connection = await asyncpg.connect(self._url("postgres", SUPERUSER, self.secret).replace("+asyncpg", ""))
        try:
            for name in names:
                if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", name):
                    await connection.execute(f'CREATE ROLE "{name}" LOGIN')
                await connection.execute(f"ALTER ROLE \"{name}\" PASSWORD '{self.password(name)}'")
                await connection.execute(f'ALTER DATABASE "{name}" OWNER TO "{name}"')
                await connection.execute(f'REVOKE CONNECT, TEMPORARY ON DATABASE "{name}" FROM PUBLIC')
        finally:
            await connection.close()

    def _url(self, database: str, user: str, password: str) -> str:
        return f"postgresql+asyncpg://{user}:{quote(password)}@127.0.0.1:{self.port}/{database}"


def ground_of(home: Home, databases: Databases, kafka: str, messages_dir: Path | None) -> Ground:
    """The keys of the home as files beside it, and where the servers are."""
    keys = home.keys()
    return Ground(
        database_url=databases.url,
        kafka=kafka,
        identifier_key=keys.identifier_key.hex(),
        principal_public_key=home.kept_file("principal-public.pem", keys.principal_public),
        principal_private_key=home.kept_file("principal-private.pem", keys.principal_private),
        admin_key=home.admin_key_path,
        campaign_public_key=keys.campaign_public,
        campaign_private_key=home.kept_file("campaign-private.pem", keys.campaign_private),
        messages_dir=messages_dir and messages_dir.absolute(),
    )


def postgres_secret(home: Home) -> str:
    """The superuser's password, made at the first start and kept in the home."""
    return home.kept("postgres-password", lambda: secrets.token_hex(32))


def kafka_lib() -> Path:
    """The broker's jars, where `make setup` puts them."""
    return Path(__file__).resolve().parents[5] / ".cache" / "kafka" / "lib"
