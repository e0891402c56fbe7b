"""Which services there are, and how they live in one process: their databases, their keys, the door in front."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypedDict

import asyncpg
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError
from starlette.types import ASGIApp

import regulars_customer.bootstrap
import regulars_customer.settings
import regulars_gateway.bootstrap
import regulars_gateway.settings
import regulars_loyalty.bootstrap
import regulars_loyalty.settings
from regulars.home import Keys
from regulars.metrics import metrics_page
from regulars.pages import Front, probes
from regulars.postgres import PostgresServer
from regulars.refusals import CannotStart
from regulars_gateway.adapters.http.dispatch import Dispatch
from regulars_gateway.adapters.http.door import Door, Stamped
from regulars_kit.auth import Signer, Verifier
from regulars_kit.bus import Bus
from regulars_kit.bus.postgres import PostgresBus
from regulars_kit.lifecycle import Loop
from regulars_kit.migrations import ensure_database, migrate
from regulars_kit.service import Service
from regulars_kit.values import Unavailable, utc_now

ISSUER = "door"
IDENTIFIER_KEY = "k1"
PRUNE_EVERY_S = 3_600.0


class _Urls(TypedDict):
    database_url: str
    bus_url: str


class _Identifiers(TypedDict):
    identifier_keys: dict[str, SecretStr]
    identifier_key_id: str


@dataclass(frozen=True, slots=True)
class Site:
    """What the services of this process are built with."""

    postgres: PostgresServer
    keys: Keys
    bus: Bus

    def urls(self, service: str) -> _Urls:
        """The settings that say where a service's data lies."""
        return {"database_url": self.postgres.url(f"regulars_{service}"), "bus_url": self.postgres.url("regulars_bus")}

    def identifiers(self) -> _Identifiers:
        """The settings of services that know a card, a phone, an e-mail by its hash."""
        keys = {IDENTIFIER_KEY: SecretStr(self.keys.identifier_key.hex())}
        return {"identifier_keys": keys, "identifier_key_id": IDENTIFIER_KEY}

    def verifier(self, service: str) -> Verifier:
        return Verifier({ISSUER: self.keys.principal_public}, service)


def _customer(site: Site) -> Service:
    settings = regulars_customer.settings.Settings(**site.urls("customer"), **site.identifiers())
    return regulars_customer.bootstrap.build(settings, site.bus, site.verifier("customer"))


def _loyalty(site: Site) -> Service:
    settings = regulars_loyalty.settings.Settings(**site.urls("loyalty"), **site.identifiers())
    return regulars_loyalty.bootstrap.build(settings, site.bus, site.verifier("loyalty"))


# A service moves in with a function as above and its line here: its database, its migrations, its routes behind the
# door, its background loops and its metrics follow from that.
BEHIND_THE_DOOR: Mapping[str, Callable[[Site], Service]] = {
    "customer": _customer,
    "loyalty": _loyalty,
}
GATEWAY = "gateway"
SERVICES = (*BEHIND_THE_DOOR, GATEWAY)


def _gateway(site: Site, neighbours: Sequence[Service]) -> Service:
    settings = regulars_gateway.settings.Settings(
        **site.urls(GATEWAY), principal_issuer=ISSUER, admin_key=SecretStr(site.keys.admin_key)
    )
    return regulars_gateway.bootstrap.build(
        settings,
        site.bus,
        site.verifier(GATEWAY),
        signer=Signer(site.keys.principal_private, ISSUER),
        documents={service.name: service.app.openapi for service in neighbours},
    )


async def prepare_databases(postgres: PostgresServer) -> None:
    """Every service's database and the bus's, made and brought to the newest version. Raises `CannotStart`."""
    try:
        for name in (*SERVICES, "bus"):
            await ensure_database(postgres.url("postgres"), f"regulars_{name}")
        for name in SERVICES:
            await migrate(postgres.url(f"regulars_{name}"), f"regulars_{name}")
    except (Unavailable, DBAPIError, asyncpg.PostgresError) as error:
        cause = getattr(error.__cause__, "orig", error.__cause__) or getattr(error, "orig", error)
        is_full = getattr(cause, "sqlstate", None) == asyncpg.DiskFullError.sqlstate
        reason = "the disk is full; make room" if is_full else f"{cause} (see {postgres.log_path})"
        raise CannotStart(f"the databases cannot be prepared: {' '.join(reason.split())}.") from error


@dataclass(frozen=True, slots=True)
class House:
    """All services of this process, and the bus between them."""

    services: Sequence[Service]
    bus: PostgresBus

    def background_loops(self) -> list[Loop]:
        """What goes on behind the requests."""
        return [self._prune_bus, *(loop for service in self.services for loop in service.background_loops())]

    async def _prune_bus(self, stop: asyncio.Event) -> None:
        while True:
            with suppress(Unavailable):
                await self.bus.prune(utc_now())
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PRUNE_EVERY_S)
                return


@asynccontextmanager
async def opened_house(postgres: PostgresServer, keys: Keys) -> AsyncIterator[House]:
    """The services, ready to be served; their bus and their pools are closed at the end."""
    bus = PostgresBus(postgres.url("regulars_bus"))
    site = Site(postgres, keys, bus)
    neighbours = [build(site) for build in BEHIND_THE_DOOR.values()]
    services = [*neighbours, _gateway(site, neighbours)]
    try:
        yield House(services, bus)
    finally:
        for service in services:
            await service.database.close()
        await bus.close()


def front_of(services: Sequence[Service]) -> ASGIApp:
    """The one app behind the port: what needs no key, the door, and the services behind it."""
    gateway = next(service for service in services if service.name == GATEWAY)
    authoriser = gateway.app.state.authoriser
    documents = {service.name: service.app.openapi() for service in services}
    apps = {service.name: Stamped(service.app, service.name, authoriser) for service in services}

    async def check_ready() -> None:
        for service in services:
            await service.database.ping()

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        # A server enters the lifespan of the app it serves alone, which is ours.
        async with AsyncExitStack() as stack:
            for service in services:
                await stack.enter_async_context(service.app.router.lifespan_context(service.app))
            yield

    metrics = metrics_page({service.name: service.app.state.metrics.registry for service in services})
    dispatch = Dispatch(apps, documents, {"/metrics": metrics})
    return Front(probes(check_ready, lifespan), gateway.app, Door(dispatch, authoriser))
