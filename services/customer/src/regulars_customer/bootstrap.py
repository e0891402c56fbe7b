"""Where adapters meet use cases: the one file that knows them all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_customer.adapters.bus.heard import GROUP, TOPICS, handlers
from regulars_customer.adapters.bus.published import SERVICE, TOPIC, message_of
from regulars_customer.adapters.db.listening import SqlListening
from regulars_customer.adapters.db.unit import SqlUnit
from regulars_customer.adapters.http import batch, consents, contacts, customers, identifiers, picture
from regulars_customer.adapters.http.context import Context
from regulars_customer.adapters.http.identities import Identities
from regulars_customer.adapters.http.problems import STATUS_OF
from regulars_customer.application.find_lapsed import find_lapsed
from regulars_customer.application.follow_events import follow_events
from regulars_customer.domain.life_cycle import Rules
from regulars_customer.settings import Settings
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

FOLLOW_EVERY_S = 1.0
"""Events gather for so long before the picture, the timeline and the stage follow them: no till waits for these, nor
anything that follows from points and scores (ADR 0018)."""

FIND_LAPSED_EVERY_S = 60.0
LAPSED_AT_ONCE = 500


def build(settings: Settings, bus: Bus, verifier: Verifier, clock: Clock = utc_now) -> Service:
    """The customer service."""
    database = Database(settings.database_url, name="regulars-customer", pool_size=settings.database_pool)
    relay = Relay(database, bus, TOPIC, clock=clock)
    rules = Rules(settings.lapsed_after, settings.loyal_from_purchases)
    context = Context(
        begin=Transactions(database, _unit, on_commit=relay.wake),
        # Nothing is announced by those who only read: they wake nobody.
        read=Transactions(database, _unit),
        identities=Identities.under(settings.keys(), settings.identifier_key_id, settings.default_region),
        now=clock,
    )
    listen = Transactions(
        database, _listening, relay.wake, before_commit=lambda unit: follow_events(unit, rules, clock)
    )
    consumer = Consumer(
        bus,
        GROUP,
        TOPICS,
        handlers(partial(listen.for_delivery, GROUP)),
        database,
        clock=clock,
        together=settings.events_together,
        pace_s=FOLLOW_EVERY_S,
    )
    app = _app(context, verifier, Verifier(settings.callers, SERVICE, clock), dead_letter_routes(consumer, SERVICE))
    return Service(SERVICE, app, database, relay, consumer, _schedules(database, listen, rules, clock))


def _unit(connection: AsyncConnection) -> SqlUnit:
    return SqlUnit(connection, message_of)


def _listening(connection: AsyncConnection) -> SqlListening:
    return SqlListening(connection, message_of)


def _app(context: Context, verifier: Verifier, callers: Verifier, dead_letters: Router) -> FastAPI:
    app = new_app("Regulars customer", version("regulars-customer"), STATUS_OF, None, verifier, callers)
    app.state.customer = context
    for part in (customers, batch, identifiers, consents, picture, contacts):
        app.include_router(part.router)
    app.include_router(dead_letters)
    return app


def _schedules(
    database: Database, listen: Transactions[SqlListening], rules: Rules, clock: Clock
) -> Sequence[Schedule]:
    async def find() -> None:
        while await find_lapsed(listen, rules, clock, LAPSED_AT_ONCE) == LAPSED_AT_ONCE:
            pass

    return (
        Schedule("find_lapsed", FIND_LAPSED_EVERY_S, find),
        retention_schedule(database, tuple(RETENTION.values()), clock),
    )
