"""Where adapters meet use cases: the one file that knows them all."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_gateway.adapters.bus.heard import GROUP, TOPICS, TYPES, handlers
from regulars_gateway.adapters.bus.published import MEDIA_TYPE, SERVICE, TOPIC, message_of, ping_of
from regulars_gateway.adapters.db.unit import SqlUnit
from regulars_gateway.adapters.http import authorising, deliveries, endpoints, feed, keys
from regulars_gateway.adapters.http.context import Context
from regulars_gateway.adapters.http.documents import add_documents
from regulars_gateway.adapters.http.neighbours import Neighbours, in_process, over_http
from regulars_gateway.adapters.http.problems import STATUS_OF
from regulars_gateway.adapters.webhooks.sending import sending
from regulars_gateway.application.authorise import Authoriser
from regulars_gateway.application.deliver_webhooks import Deliverer
from regulars_gateway.application.ensure_admin_key import ensure_admin_key
from regulars_gateway.application.forget_events import forget_events
from regulars_gateway.application.number_events import Sequencer
from regulars_gateway.application.ports import Begin, Sign
from regulars_gateway.application.take_events import take_events
from regulars_gateway.domain.keys import Grant
from regulars_gateway.settings import Settings
from regulars_kit.auth import Principal, Signer, Verifier
from regulars_kit.bus import Bus
from regulars_kit.db import Database
from regulars_kit.dead_letter_routes import dead_letter_routes
from regulars_kit.http import new_app
from regulars_kit.inbox import Consumer
from regulars_kit.outbound import Network, OutboundClient, is_denied
from regulars_kit.relay import Relay
from regulars_kit.retention import RETENTION, retention_schedule
from regulars_kit.service import Loop, Schedule, Service
from regulars_kit.transactions import Transactions
from regulars_kit.values import Clock, Unavailable, utc_now

FORGET_EVERY_S = 3_600.0
ENSURE_AGAIN_S = 1.0
EVENTS_TOGETHER = 500

Document = dict[str, Any]


def build(
    settings: Settings,
    bus: Bus,
    verifier: Verifier,
    clock: Clock = utc_now,
    *,
    signer: Signer | None = None,
    documents: Mapping[str, Callable[[], Document]] | None = None,
) -> Service:
    """The gateway. `signer` stands in for the key file of the settings. `documents`: the OpenAPI documents of services
    in this process; those of others are fetched from the settings' `service_urls`.

    `app.state.authoriser` and `app.state.neighbours` are for a door in the same process.
    """
    database = Database(settings.database_url, name="regulars-gateway", pool_size=settings.database_pool)
    relay = Relay(database, bus, TOPIC, clock=clock)
    client = OutboundClient(settings.allowed_networks, timeout_s=settings.delivery_timeout_s)
    # Wakes no relay: an endpoint is seldom disabled, and the news is found at the relay's next look.
    silent = Transactions(database, _unit)
    deliverer = Deliverer(silent, sending(client, MEDIA_TYPE, clock), settings.terms(), random.random, clock)
    sequencer = Sequencer(silent)

    def wake() -> None:
        deliverer.wake()
        sequencer.wake()

    begin = Transactions(database, _unit, on_commit=wake, before_commit=partial(take_events, now=clock))
    hears = handlers(partial(begin.for_delivery, GROUP))
    consumer = Consumer(bus, GROUP, TOPICS, hears, database, clock=clock, together=EVENTS_TOGETHER)
    app = _app(settings, database, client, verifier, clock, deliverer, _sign(settings, signer), documents or {})
    app.include_router(dead_letter_routes(consumer, SERVICE))
    schedules = (_forgetting(begin, clock), retention_schedule(database, tuple(RETENTION.values()), clock))
    loops = (_delivering(deliverer, client), sequencer.run)
    return Service(SERVICE, app, database, relay, consumer, schedules, loops=loops)


def _unit(connection: AsyncConnection) -> SqlUnit:
    return SqlUnit(connection, message_of)


def _app(
    settings: Settings,
    database: Database,
    client: OutboundClient,
    verifier: Verifier,
    clock: Clock,
    deliverer: Deliverer,
    sign: Sign,
    documents: Mapping[str, Callable[[], Document]],
) -> FastAPI:
    read = Transactions(database, _unit)
    lifespan = partial(_lifespan, settings, read, client, clock)
    app = new_app("Regulars gateway", version("regulars-gateway"), STATUS_OF, lifespan, verifier)
    neighbours = Neighbours(
        {service: over_http(url) for service, url in settings.service_urls.items()}
        | {service: in_process(document) for service, document in documents.items()}
        | {SERVICE: in_process(app.openapi)}
    )
    app.state.neighbours = neighbours
    app.state.authoriser = Authoriser(read, sign, neighbours, clock, cache_s=settings.key_cache_s)
    app.state.gateway = Context(
        begin=Transactions(database, _unit, on_commit=deliverer.wake),
        now=clock,
        neighbours=neighbours,
        event_types=TYPES,
        more_scopes=settings.more_scopes,
        is_denied=partial(_is_denied_host, settings.allowed_networks),
        send=sending(client, MEDIA_TYPE, clock),
        ping=ping_of,
    )
    app.router.routes.append(authorising.route(app.state.authoriser))
    add_documents(app, neighbours)
    for part in (keys, endpoints, deliveries, feed):
        app.include_router(part.router)
    return app


@asynccontextmanager
async def _lifespan(
    settings: Settings, begin: Begin, client: OutboundClient, clock: Clock, app: FastAPI
) -> AsyncIterator[None]:
    ensuring = await _ensure_administrator(settings, begin, clock)
    try:
        yield
    finally:
        if ensuring is not None:
            ensuring.cancel()
        await client.close()


async def _ensure_administrator(settings: Settings, begin: Begin, clock: Clock) -> asyncio.Task[None] | None:
    """None once the settings' key is there; while the database is away, the task that goes on trying."""
    secret = settings.administrator()
    if secret is None:
        return None
    try:
        await ensure_admin_key(secret, begin, clock)
    except Unavailable:
        return asyncio.create_task(_ensure_later(secret, begin, clock))
    return None


async def _ensure_later(secret: str, begin: Begin, clock: Clock) -> None:
    while True:
        await asyncio.sleep(ENSURE_AGAIN_S)
        with suppress(Unavailable):
            await ensure_admin_key(secret, begin, clock)
            return


def _sign(settings: Settings, signer: Signer | None) -> Sign:
    if signer is None and settings.principal_private_key is not None:
        signer = Signer(settings.principal_private_key.read_text(), settings.principal_issuer)

    def sign(grant: Grant, scopes: frozenset[str], service: str) -> str:
        if signer is None:
            raise Unavailable("no key is set to sign principals by")
        return signer.sign(Principal(grant.client, None, scopes, grant.stores), service)

    return sign


def _is_denied_host(allowed: Sequence[Network], host: str) -> bool:
    try:
        return is_denied(ip_address(host), allowed)
    except ValueError:
        return False  # a name: what it stands for is checked at each delivery


def _delivering(deliverer: Deliverer, client: OutboundClient) -> Loop:
    async def deliver(stop: asyncio.Event) -> None:
        try:
            await deliverer.run(stop)
        finally:
            await client.close()

    return deliver


def _forgetting(begin: Begin, clock: Clock) -> Schedule:
    async def forget() -> None:
        await forget_events(begin, clock)

    return Schedule("forget_events", FORGET_EVERY_S, forget)
