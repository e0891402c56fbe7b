"""Which services there are, and how they live in one process: their databases, their keys, the door in front."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import asyncpg
import httpx
from prometheus_client import CollectorRegistry
from pydantic import SecretStr, ValidationError
from sqlalchemy.exc import DBAPIError
from starlette.types import ASGIApp

import regulars_campaign.bootstrap
import regulars_campaign.settings
import regulars_customer.bootstrap
import regulars_customer.settings
import regulars_gateway.bootstrap
import regulars_gateway.settings
import regulars_loyalty.bootstrap
import regulars_loyalty.settings
import regulars_scoring.bootstrap
import regulars_scoring.settings
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
from regulars_kit.settings import faults_of
from regulars_kit.values import Unavailable, utc_now

ISSUER = "door"
CAMPAIGN = "campaign"
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
    """What the services of this process are built with. `messages_dir` None: campaigns have nowhere to write to."""

    postgres: PostgresServer
    keys: Keys
    bus: Bus
    messages_dir: Path | None

    def urls(self, service: str) -> _Urls:
        """The settings that say where a service's data lies."""
        return {"database_url": self.postgres.url(f"regulars_{service}"), "bus_url": self.postgres.url("regulars_bus")}

    def identifiers(self) -> _Identifiers:
        """The settings of services that know a card, a phone, an e-mail by its hash."""
        keys = {IDENTIFIER_KEY: SecretStr(self.keys.identifier_key.hex())}
        return {"identifier_keys": keys, "identifier_key_id": IDENTIFIER_KEY}

    def verifier(self, service: str) -> Verifier:
        return Verifier({ISSUER: self.keys.principal_public}, service)


Built = Mapping[str, Service]
"""The services that were built before, by name."""


def _customer(site: Site, _: Built) -> Service:
    settings = regulars_customer.settings.Settings(
        **site.urls("customer"), **site.identifiers(), callers={CAMPAIGN: site.keys.campaign_public}
    )
    return regulars_customer.bootstrap.build(settings, site.bus, site.verifier("customer"))


def _loyalty(site: Site, _: Built) -> Service:
    settings = regulars_loyalty.settings.Settings(**site.urls("loyalty"), **site.identifiers())
    return regulars_loyalty.bootstrap.build(settings, site.bus, site.verifier("loyalty"))


def _scoring(site: Site, _: Built) -> Service:
    settings = regulars_scoring.settings.Settings(**site.urls("scoring"))
    return regulars_scoring.bootstrap.build(settings, site.bus, site.verifier("scoring"))


def _campaign(site: Site, built: Built) -> Service:
    settings = regulars_campaign.settings.Settings(**site.urls(CAMPAIGN), sink_dir=site.messages_dir)
    return regulars_campaign.bootstrap.build(
        settings,
        site.bus,
        site.verifier(CAMPAIGN),
        signer=Signer(site.keys.campaign_private, CAMPAIGN),
        transport=httpx.ASGITransport(built["customer"].app),
    )


# A service moves in with a function as above and its line here: its database, its migrations, its routes behind the
# door, its background loops and its metrics follow from that.
BEHIND_THE_DOOR: Mapping[str, Callable[[Site, Built], Service]] = {
    "customer": _customer,
    "loyalty": _loyalty,
    "scoring": _scoring,
    CAMPAIGN: _campaign,
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

    def registries(self) -> Mapping[str, CollectorRegistry]:
        """Each service's metrics."""
        return {service.name: service.app.state.metrics.registry for service in self.services}

    def front_loops(self) -> list[Loop]:
        """What those who answer requests owe to those behind: word of each commit."""
        return [service.relay.notify for service in self.services]

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
async def opened_house(postgres: PostgresServer, keys: Keys, messages_dir: Path | None = None) -> AsyncIterator[House]:
    """The services, ready to be served; their bus and their pools are closed at the end.

    Campaigns write their messages to `messages_dir`; None: none can be launched.
    """
    bus = PostgresBus(postgres.url("regulars_bus"))
    site = Site(postgres, keys, bus, messages_dir)
    neighbours: dict[str, Service] = {}
    for name, build in BEHIND_THE_DOOR.items():
        with _own_settings(name):
            neighbours[name] = build(site, neighbours)
    with _own_settings(GATEWAY):
        services = [*neighbours.values(), _gateway(site, list(neighbours.values()))]
    try:
        yield House(services, bus)
    finally:
        for service in services:
            await service.database.close()
        await bus.close()


@contextmanager
def _own_settings(service: str) -> Iterator[None]:
    """The environment may set what we leave to it. Raises `CannotStart` where it does not fit."""
    try:
        yield
    except ValidationError as error:
        raise CannotStart(faults_of(error, f"REGULARS_{service}_")) from error


def front_of(house: House, behind: Callable[[], Awaitable[str]]) -> ASGIApp:
    """The one app behind the port: what needs no key, the door, and the services behind it.

    `behind` tells the metrics of the process that does what follows from the requests.
    """
    services = house.services
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

    metrics = metrics_page(house.registries(), behind)
    dispatch = Dispatch(apps, documents, {"/metrics": metrics})
    return Front(probes(check_ready, lifespan), gateway.app, Door(dispatch, authoriser))
