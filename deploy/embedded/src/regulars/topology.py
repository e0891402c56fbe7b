"""Which services there are, and how they live in one process: their databases, their keys, the door in front."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

import asyncpg
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError
from starlette.types import ASGIApp

import regulars_customer.bootstrap
import regulars_customer.settings
import regulars_loyalty.bootstrap
import regulars_loyalty.settings
from regulars.dispatch import Dispatch
from regulars.door import Door, Stamped
from regulars.home import Keys
from regulars.metrics import metrics_page
from regulars.openapi import merged
from regulars.pages import Front, public_pages
from regulars.postgres import PostgresServer
from regulars.refusals import CannotStart
from regulars_kit.auth import PUBLIC, Principal, Signer, Verifier, route_scopes
from regulars_kit.bus import Bus
from regulars_kit.bus.postgres import PostgresBus
from regulars_kit.lifecycle import Loop
from regulars_kit.migrations import ensure_database, migrate
from regulars_kit.service import Service
from regulars_kit.values import Unavailable, utc_now

ISSUER = "door"
CLIENT = "admin"
IDENTIFIER_KEY = "k1"
PRUNE_EVERY_S = 3_600.0
SERVICES = ("customer", "loyalty")


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
    services = _build(postgres, keys, bus)
    try:
        yield House(services, bus)
    finally:
        for service in services:
            await service.database.close()
        await bus.close()


def _build(postgres: PostgresServer, keys: Keys, bus: Bus) -> Sequence[Service]:
    bus_url = postgres.url("regulars_bus")
    identifier_keys = {IDENTIFIER_KEY: SecretStr(keys.identifier_key.hex())}
    customer = regulars_customer.settings.Settings(
        database_url=postgres.url("regulars_customer"),
        bus_url=bus_url,
        identifier_keys=identifier_keys,
        identifier_key_id=IDENTIFIER_KEY,
    )
    loyalty = regulars_loyalty.settings.Settings(
        database_url=postgres.url("regulars_loyalty"),
        bus_url=bus_url,
        identifier_keys=identifier_keys,
        identifier_key_id=IDENTIFIER_KEY,
    )
    public_keys = {ISSUER: keys.principal_public}
    return (
        regulars_customer.bootstrap.build(customer, bus, Verifier(public_keys, "customer")),
        regulars_loyalty.bootstrap.build(loyalty, bus, Verifier(public_keys, "loyalty")),
    )


def front_of(services: Sequence[Service], keys: Keys) -> ASGIApp:
    """The one app behind the port: public pages, the door, and the services behind it."""
    documents = {service.name: service.app.openapi() for service in services}
    signer = Signer(keys.principal_private, ISSUER)
    apps = {service.name: Stamped(service.app, partial(_sign, signer, service)) for service in services}

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

    pages = public_pages(merged(documents, version("regulars")), check_ready, lifespan)
    inside = {"/metrics": metrics_page({service.name: service.app.state.metrics.registry for service in services})}
    return Front(pages, Door(Dispatch(apps, documents, inside), keys.admin_key))


def _sign(signer: Signer, service: Service) -> str:
    """The holder of the home's key may do all there is: every scope that the service's routes declare."""
    return signer.sign(Principal(CLIENT, CLIENT, _scopes(service.app)), service.name)


def _scopes(app: FastAPI) -> frozenset[str]:
    return frozenset(scope for scope in route_scopes(app).values() if scope and scope != PUBLIC)
