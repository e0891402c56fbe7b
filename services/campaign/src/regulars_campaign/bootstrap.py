"""Where adapters meet use cases: the one file that knows them all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_campaign.adapters.bus.heard import GROUP, TOPICS, handlers
from regulars_campaign.adapters.bus.published import SERVICE, TOPIC, message_of
from regulars_campaign.adapters.contacts.customer_service import CustomerService
from regulars_campaign.adapters.db.unit import BUILD_SEGMENT, SqlListening, SqlUnit
from regulars_campaign.adapters.http import campaigns, messages, segments, templates
from regulars_campaign.adapters.http.context import Context
from regulars_campaign.adapters.http.problems import STATUS_OF, tell_bodies_apart
from regulars_campaign.adapters.liquid.renderer import LiquidRenderer
from regulars_campaign.adapters.sending.file_sink import FileSink
from regulars_campaign.adapters.sending.sender import Sender
from regulars_campaign.application.follow_events import follow_events
from regulars_campaign.application.ports import Now
from regulars_campaign.application.ports import Transactions as Begin
from regulars_campaign.application.send_messages import Post
from regulars_campaign.application.sweep_segments import sweep_segment, sweep_segments
from regulars_campaign.domain.calendar import Moment
from regulars_campaign.domain.campaigns import Channel
from regulars_campaign.domain.segments import SegmentId
from regulars_campaign.settings import Settings
from regulars_kit.auth import Signer, Verifier
from regulars_kit.bus import Bus
from regulars_kit.db import Database
from regulars_kit.dead_letter_routes import dead_letter_routes
from regulars_kit.http import Router, new_app
from regulars_kit.inbox import Consumer
from regulars_kit.job_routes import job_routes
from regulars_kit.job_runner import JobWork, Task
from regulars_kit.relay import Relay
from regulars_kit.retention import RETENTION, retention_schedule
from regulars_kit.service import Schedule, Service
from regulars_kit.transactions import Transactions
from regulars_kit.values import Clock, utc_now

SWEEP_EVERY_S = 60.0


def build(
    settings: Settings,
    bus: Bus,
    verifier: Verifier,
    clock: Clock = utc_now,
    *,
    signer: Signer | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Service:
    """The campaign service.

    It asks the customer service in the name of `signer` (None: by the key of the settings), over `transport` (None:
    the network).
    """
    database = Database(settings.database_url, name="regulars-campaign", pool_size=settings.database_pool)
    relay = Relay(database, bus, TOPIC, clock=clock)
    now = _now(settings, clock)
    contacts = CustomerService(settings.customer_url, signer or _signer(settings), transport)
    providers = _providers(settings)
    renderer = LiquidRenderer()
    post = Post(
        Transactions(database, _unit, on_commit=relay.wake), contacts, renderer, providers, now, settings.message_costs
    )
    sender = Sender(post)

    def wake() -> None:
        relay.wake()
        sender.wake()

    begin = Transactions(database, _unit, on_commit=wake)
    read = Transactions(database, _unit)
    listen = Transactions(database, _listening, on_commit=wake, before_commit=lambda unit: follow_events(unit, now))
    ears = handlers(partial(listen.for_delivery, GROUP), settings.zone)
    consumer = Consumer(bus, GROUP, TOPICS, ears, database, clock=clock, together=settings.events_together)
    context = Context(begin, read, renderer, frozenset(Channel(name) for name in providers), now)
    app = _app(context, verifier, dead_letter_routes(consumer, SERVICE), job_routes(database))
    schedules = (
        Schedule("sweep_segments", SWEEP_EVERY_S, partial(_sweep, begin, now)),
        retention_schedule(database, tuple(RETENTION.values()), clock),
    )
    jobs: Mapping[str, JobWork] = {BUILD_SEGMENT: partial(_build_segment, begin, now)}

    async def send(stop: asyncio.Event) -> None:
        try:
            await sender.run(stop)
        finally:
            await contacts.close()

    return Service(SERVICE, app, database, relay, consumer, schedules, jobs, (send,))


def _now(settings: Settings, clock: Clock) -> Now:
    zone = settings.zone
    return lambda: Moment.of(clock(), zone)


def _signer(settings: Settings) -> Signer | None:
    return None if settings.signing_key is None else Signer(settings.signing_key.read_text(), SERVICE)


def _providers(settings: Settings) -> Mapping[str, FileSink]:
    if settings.sink_dir is None:
        return {}
    return {Channel.EMAIL: FileSink(settings.sink_dir, Channel.EMAIL)}


def _unit(connection: AsyncConnection) -> SqlUnit:
    return SqlUnit(connection, message_of)


def _listening(connection: AsyncConnection) -> SqlListening:
    return SqlListening(connection, message_of)


async def _sweep(begin: Begin, now: Now) -> None:
    await sweep_segments(begin, now)


async def _build_segment(begin: Begin, now: Now, task: Task) -> Mapping[str, Any]:
    return {"members": await sweep_segment(SegmentId(UUID(task.payload["segment_id"])), begin, now)}


def _app(context: Context, verifier: Verifier, *more: Router) -> FastAPI:
    app = new_app("Regulars campaign", version("regulars-campaign"), STATUS_OF, None, verifier)
    app.state.campaign = context
    tell_bodies_apart(app)
    for part in (segments, templates, campaigns, messages):
        app.include_router(part.router)
    for router in more:
        app.include_router(router)
    return app
