"""Where adapters meet use cases: the one file that knows them all."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from regulars_kit.auth import Verifier
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
from regulars_scoring.adapters.bus.heard import GROUP, TOPICS, handlers
from regulars_scoring.adapters.bus.published import SERVICE, TOPIC, message_of
from regulars_scoring.adapters.db.house import HouseCache
from regulars_scoring.adapters.db.listening import SqlListening
from regulars_scoring.adapters.db.models import ModelCache
from regulars_scoring.adapters.db.runs import JOB_KIND
from regulars_scoring.adapters.db.unit import AS_OF_ONE_MOMENT, SqlUnit
from regulars_scoring.adapters.engine.process import WorkerProcess
from regulars_scoring.adapters.http import affinity, audit, cohorts, distribution, money, rfm_settings, runs, scores
from regulars_scoring.adapters.http.context import Context
from regulars_scoring.adapters.http.problems import STATUS_OF
from regulars_scoring.application import ports
from regulars_scoring.application.follow_events import follow_events
from regulars_scoring.application.run_scoring import RunWork
from regulars_scoring.application.start_nightly_run import start_nightly_run
from regulars_scoring.domain.scoring import PUBLISHED_HORIZON_DAYS, Bands
from regulars_scoring.settings import Settings

LOOK_FOR_NIGHT_EVERY_S = 300.0


def build(
    settings: Settings, bus: Bus, verifier: Verifier, clock: Clock = utc_now, *, fit: ports.Fit | None = None
) -> Service:
    """The scoring service. `fit` None: models are fitted in a process of their own, at low priority."""
    database = Database(settings.database_url, name="regulars-scoring", pool_size=settings.database_pool)
    relay = Relay(database, bus, TOPIC, clock=clock)
    cache = HouseCache(ModelCache(), settings.reporting_currency)
    unit = partial(SqlUnit, cache=cache, to_message=message_of)
    begin = Transactions(database, unit, on_commit=relay.wake)
    bands = Bands(settings.churn_medium_from, settings.churn_high_from)
    house = ports.House(clock, ZoneInfo(settings.time_zone), bands, settings.not_goods)
    # Nothing is announced by those who only read: they wake nobody.
    context = Context(begin, Transactions(database, partial(unit, first=AS_OF_ONE_MOMENT)), house)
    listen = Transactions(
        database,
        partial(SqlListening, cache=cache, to_message=message_of),
        relay.wake,
        before_commit=lambda unit: follow_events(unit, house),
    )
    consumer = Consumer(
        bus,
        GROUP,
        TOPICS,
        handlers(partial(listen.for_delivery, GROUP), house.zone),
        database,
        clock=clock,
        together=settings.events_together,
    )
    fit = fit or WorkerProcess(settings.database_url, bands, settings.not_goods)
    work = RunWork(fit, begin, house, settings.published_per_second)
    return Service(
        SERVICE,
        _app(context, verifier, dead_letter_routes(consumer, SERVICE), job_routes(database)),
        database,
        relay,
        consumer,
        (_nightly(settings, begin, house), retention_schedule(database, tuple(RETENTION.values()), clock)),
        {JOB_KIND: _job(work)},
    )


def _app(context: Context, verifier: Verifier, *shared: Router) -> FastAPI:
    app = new_app("Regulars scoring", version("regulars-scoring"), STATUS_OF, None, verifier)
    app.state.scoring = context
    for room in (scores, runs, distribution, rfm_settings, cohorts, audit, affinity, money):
        app.include_router(room.router)
    for router in shared:
        app.include_router(router)
    return app


def _nightly(settings: Settings, begin: ports.Transactions, house: ports.House) -> Schedule:
    async def look() -> None:
        await start_nightly_run(settings.nightly_at, PUBLISHED_HORIZON_DAYS, begin, house)

    return Schedule("nightly_run", LOOK_FOR_NIGHT_EVERY_S, look)


def _job(work: RunWork) -> JobWork:
    async def run(task: Task) -> dict[str, str]:
        run_id = UUID(task.payload["run_id"])
        await work(run_id, task.progress)
        return {"run_id": str(run_id)}

    return run
