"""The serving process stays light, and the worker's fate is a run that says how it ended."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from regulars_kit.job_runner import JobCancelled
from regulars_kit.values import new_id
from regulars_scoring import worker
from regulars_scoring.adapters.db import bulk
from regulars_scoring.adapters.engine import process
from regulars_scoring.adapters.engine.process import WorkerProcess
from regulars_scoring.application.start_nightly_run import start_nightly_run
from regulars_scoring.domain.goods import NOT_GOODS
from regulars_scoring.domain.refusals import FitFailed
from regulars_scoring.domain.runs import is_due
from regulars_scoring.domain.scoring import Bands
from regulars_scoring.settings import Settings
from scoring.opening import opened
from scoring.shop import Shop, a_crowd, a_sale, settings_for

if TYPE_CHECKING:
    from conftest import FreshDatabase

BERLIN = ZoneInfo("Europe/Berlin")
THREE = time(3)


def test_the_serving_process_imports_no_kernel() -> None:
    heavy = "{'numpy', 'scipy', 'numba', 'duckdb'} & set(sys.modules)"
    code = f"import sys, regulars_scoring.__main__; sys.exit(bool({heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_a_run_in_a_worker_of_its_own_scores_everybody(fresh_database: FreshDatabase) -> None:
    url = await fresh_database("regulars_scoring")
    async with opened(url, WorkerProcess(url, Bands())) as shop:
        assert (await shop.run())["failure"]["code"] == "too_few_purchases"
        await shop.hear(*a_crowd())
        run = await shop.run()
        assert (run["state"], run["published"]) == ("completed", run["customers"])
        assert run["report"]["evaluation"]["forecasts"] > 0


async def test_a_worker_left_over_from_a_killed_service_does_no_harm(shop: Shop) -> None:
    await shop.hear(*a_crowd(40))
    started = await shop.ask_for_run()
    async with shop.service.database.transaction() as connection:
        await connection.execute(text("UPDATE runs SET state = 'running'"))
    url, run_id = shop.service.database.url, started["run_id"]
    task = {"database_url": url, "run_id": run_id, "bands": asdict(Bands()), "not_goods": NOT_GOODS}
    await asyncio.gather(worker.work(task), worker.work(task))
    await shop.work()
    run = await shop.get(f"/v1/scoring/runs/{started['run_id']}")
    assert (run["state"], run["published"]) == ("completed", 40)


async def test_the_first_purchases_of_all_may_come_while_a_run_begins(
    monkeypatch: pytest.MonkeyPatch, shop: Shop
) -> None:
    find_run = bulk.find_run

    async def and_then_they_come(connection: bulk.Connection, run_id: UUID) -> object:
        run = await find_run(connection, run_id)
        await shop.hear(*a_crowd(40))
        return run

    monkeypatch.setattr(bulk, "find_run", and_then_they_come)
    run = await shop.run()
    assert (run["state"], run["published"]) == ("completed", 40)
    model = await shop.get("/v1/scoring/model")
    assert model["currency"] == "EUR"


async def nothing() -> None:
    pass


async def test_a_worker_that_cannot_reach_its_database_is_a_failed_fit() -> None:
    worker = WorkerProcess("postgresql+asyncpg://nobody@127.0.0.1:9/nowhere", Bands())
    with pytest.raises(FitFailed):
        await worker(new_id(), nothing)


async def test_a_job_cancelled_ends_its_worker(monkeypatch: pytest.MonkeyPatch, shop: Shop) -> None:
    monkeypatch.setattr(process, "TICK_S", 0.01)

    async def cancelled() -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        await WorkerProcess(str(shop.service.database.url), Bands())(new_id(), cancelled)


async def test_a_fit_that_failed_is_told_and_the_next_run_is_free_to_begin(fresh_database: FreshDatabase) -> None:
    async def breaks(*_: object) -> None:
        raise FitFailed("the process that was to fit the models died")

    async with opened(await fresh_database("regulars_scoring"), breaks) as shop:
        assert [(await shop.run())["failure"]["code"] for _ in range(2)] == ["fit_failed"] * 2


@pytest.mark.parametrize(
    ("now", "last", "since", "due"),
    [
        ("2026-06-30T03:05", None, "2026-06-29T12:00", True),
        ("2026-06-30T02:55", None, "2026-06-29T12:00", False),
        ("2026-06-30T12:00", "2026-06-30T03:05", "2026-06-01T12:00", False),
        ("2026-06-30T12:00", "2026-06-29T22:00", "2026-06-01T12:00", True),
        ("2026-07-01T02:00", "2026-06-29T22:00", "2026-06-01T12:00", True),
        ("2026-06-30T12:00", None, "2026-06-30T11:00", False),
        ("2026-06-30T12:00", None, None, False),
    ],
)
def test_the_night_is_due_once_after_its_hour(now: str, last: str | None, since: str | None, due: bool) -> None:
    def at(text: str | None) -> datetime | None:
        return None if text is None else datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)

    present = at(now)
    assert present is not None
    assert is_due(present, THREE, BERLIN, at(last), at(since)) is due


async def test_the_nightly_run_is_asked_for_once(shop: Shop) -> None:
    await shop.hear(a_sale())
    async with shop.service.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE house SET known_since = '2026-06-29T12:00Z'")
    nightly = next(schedule for schedule in shop.service.schedules if schedule.name == "nightly_run")
    await nightly.run()
    await nightly.run()
    (run,) = await shop.rows("SELECT state, as_of::text FROM runs")
    assert tuple(run) == ("queued", "2026-06-30")


async def test_the_night_passes_over_a_run_that_is_under_way(shop: Shop) -> None:
    await shop.hear(*a_crowd(3))
    await shop.ask_for_run()
    async with shop.service.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE runs SET created_at = '2026-06-01T00:00Z'")
        await connection.exec_driver_sql("UPDATE house SET known_since = '2026-06-01T00:00Z'")
    context = shop.service.app.state.scoring
    await start_nightly_run(THREE, 90, context.begin, context.house)
    assert len(await shop.rows("SELECT * FROM runs")) == 1


@pytest.mark.parametrize(
    "said", [{"time_zone": "Mars/Olympus"}, {"reporting_currency": "euro"}, {"churn_medium_from": 0.9}]
)
def test_settings_that_do_not_fit_are_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        settings_for("postgresql+asyncpg://x", **said)


def test_the_settings_have_sensible_defaults() -> None:
    settings = Settings(database_url="postgresql+asyncpg://x")
    assert (settings.nightly_at, settings.reporting_currency) == (THREE, None)
