"""Where adapters meet use cases: the one file that knows them all."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_customer.adapters.bus.published import SERVICE, TOPIC, message_of
from regulars_customer.adapters.db.unit import SqlUnit
from regulars_customer.adapters.http import batch, consents, customers, identifiers
from regulars_customer.adapters.http.context import Context
from regulars_customer.adapters.http.identities import Identities
from regulars_customer.adapters.http.problems import STATUS_OF
from regulars_customer.settings import Settings
from regulars_kit.auth import Verifier
from regulars_kit.bus import Bus
from regulars_kit.db import Database, Transactions
from regulars_kit.http import new_app
from regulars_kit.relay import Relay
from regulars_kit.retention import RETENTION, retention_schedule
from regulars_kit.service import Service
from regulars_kit.values import Clock, utc_now


def build(settings: Settings, bus: Bus, verifier: Verifier, clock: Clock = utc_now) -> Service:
    """The customer service. It listens to nobody, so it has no consumer."""
    database = Database(settings.database_url, name="regulars-customer", pool_size=settings.database_pool)
    relay = Relay(database, bus, TOPIC, clock=clock)
    identities = Identities.under(settings.keys(), settings.identifier_key_id, settings.default_region)
    context = Context(
        begin=Transactions(database, _unit, on_commit=relay.wake),
        # Nothing is announced by those who only read: they wake nobody.
        read=Transactions(database, _unit),
        identities=identities,
        now=clock,
    )
    schedule = retention_schedule(database, tuple(RETENTION.values()), clock)
    return Service(SERVICE, _app(context, verifier), database, relay, consumer=None, schedules=(schedule,))


def _unit(connection: AsyncConnection) -> SqlUnit:
    return SqlUnit(connection, message_of)


def _app(context: Context, verifier: Verifier) -> FastAPI:
    app = new_app("Regulars customer", version("regulars-customer"), STATUS_OF, None, verifier)
    app.state.customer = context
    for part in (customers, batch, identifiers, consents):
        app.include_router(part.router)
    return app
