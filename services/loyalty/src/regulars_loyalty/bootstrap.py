"""Where adapters meet use cases: the one file that knows them all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI

from regulars_kit.auth import Verifier
from regulars_kit.bus import Bus
from regulars_kit.db import Database
from regulars_kit.dead_letter_routes import dead_letter_routes
from regulars_kit.http import Router, new_app
from regulars_kit.inbox import Consumer
from regulars_kit.relay import Relay
from regulars_kit.retention import RETENTION, retention_schedule
from regulars_kit.service import Schedule, Service
from regulars_kit.transactions import Transactions
from regulars_kit.values import Clock, utc_now
from regulars_loyalty.adapters.bus.heard import GROUP, TOPICS, handlers
from regulars_loyalty.adapters.bus.published import SERVICE, TOPIC, message_of
from regulars_loyalty.adapters.db.programmes import ProgrammeCache
from regulars_loyalty.adapters.db.session import PLANNING
from regulars_loyalty.adapters.db.unit import PostgresUnit
from regulars_loyalty.adapters.http import accounts, ledger, programmes, purchase_batch, purchases, redemptions, returns
from regulars_loyalty.adapters.http.batching import Batcher
from regulars_loyalty.adapters.http.context import Context
from regulars_loyalty.adapters.http.identities import Identities
from regulars_loyalty.adapters.http.openapi import describe
from regulars_loyalty.adapters.http.problems import STATUS_OF, tell_programmes_apart
from regulars_loyalty.application.expire_points import expire_points
from regulars_loyalty.application.ports import Begin
from regulars_loyalty.application.record_batch import record_batch
from regulars_loyalty.settings import Settings

EXPIRE_EVERY_S = 60.0
ACCOUNTS_AT_ONCE = 500


def build(settings: Settings, bus: Bus, verifier: Verifier, clock: Clock = utc_now) -> Service:
    """The loyalty service."""
    database = Database(
        settings.database_url, name="regulars-loyalty", pool_size=settings.database_pool, settings=PLANNING
    )
    relay = Relay(database, bus, TOPIC, clock=clock)
    unit = partial(PostgresUnit, cache=ProgrammeCache(), to_message=message_of)
    begin = Transactions(database, unit, on_commit=relay.wake)
    at_once = Transactions(database, unit, on_commit=relay.wake, each_statement=True)
    context = Context(
        begin=begin,
        # Nothing is announced by those who only read: they wake nobody.
        read=Transactions(database, unit),
        purchases=Batcher(partial(record_batch, begin=begin, at_once=at_once, clock=clock)),
        identities=Identities.under(settings.keys(), settings.identifier_key_id, settings.default_region),
        now=clock,
    )
    consumer = Consumer(bus, GROUP, TOPICS, handlers(partial(begin.for_delivery, GROUP), clock), database, clock=clock)
    app = _app(context, verifier, dead_letter_routes(consumer, SERVICE))
    return Service(SERVICE, app, database, relay, consumer, _schedules(database, begin, clock))


def _app(context: Context, verifier: Verifier, dead_letters: Router) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await context.purchases.drain()

    app = new_app("Regulars loyalty", version("regulars-loyalty"), STATUS_OF, lifespan, verifier)
    app.state.loyalty = context
    tell_programmes_apart(app)
    purchases.add_purchase_routes(app)
    for part in (purchases, purchase_batch, returns, redemptions, accounts, ledger, programmes):
        app.include_router(part.router)
    app.include_router(dead_letters)
    describe(app)
    return app


def _schedules(database: Database, begin: Begin, clock: Clock) -> Sequence[Schedule]:
    async def expire() -> None:
        while await expire_points(begin, clock, limit=ACCOUNTS_AT_ONCE) == ACCOUNTS_AT_ONCE:
            pass

    # The keys of points and purchases are kept as long as the ledger, in its own rows.
    kept_for_a_while = (RETENTION["inbox"], RETENTION["dead_letters"])
    return (Schedule("expire_points", EXPIRE_EVERY_S, expire), retention_schedule(database, kept_for_a_while, clock))
