"""Long work survives the process that does it, tells how far it is, and stops when asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from conftest import FreshDatabase
from regulars_kit import jobs
from regulars_kit.auth import HEADER, Principal, Signer, Verifier, new_key_pair, route_scopes
from regulars_kit.db import Database
from regulars_kit.http import new_app
from regulars_kit.job_routes import job_routes
from regulars_kit.job_runner import JobRunner, Task
from regulars_kit.jobs import Job, JobEnded, UnknownJob
from regulars_kit.leases import LeaseLost, under_lease
from regulars_kit.values import Refused, Unavailable


@pytest.fixture
async def database(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(await fresh_database(), name="test")
    async with database.transaction() as connection:
        for statement in jobs.DDL:
            await connection.execute(text(statement))
    yield database
    await database.close()


async def submit(database: Database, kind: str = "import", **payload: Any) -> str:
    async with database.transaction() as connection:
        return await jobs.submit_job(connection, "loyalty", kind, payload, client="till-7")


async def find(database: Database, job_id: str) -> Job:
    async with database.transaction() as connection:
        return await jobs.find_job(connection, job_id)


async def cancel(database: Database, job_id: str) -> Job:
    async with database.transaction() as connection:
        return await jobs.cancel_job(connection, job_id)


async def let_leases_end(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE jobs SET lease_until = now() - interval '1 second'"))


async def count_lines(task: Task) -> Mapping[str, Any]:
    for line in range(task.payload["lines"]):
        await task.progress(line + 1, task.payload["lines"])
    return {"lines": task.payload["lines"]}


async def test_a_job_is_done_and_its_result_is_kept(database: Database) -> None:
    job_id = await submit(database, lines=3)
    assert job_id.startswith("loyalty-")
    assert (await find(database, job_id)).state == "queued"
    runner = JobRunner(database, {"import": count_lines})
    assert await runner.run_next() is True
    job = await find(database, job_id)
    assert (job.state, job.progress, job.total, job.result) == ("done", 3, 3, {"lines": 3})
    assert await runner.run_next() is False


async def test_a_job_exists_only_if_the_change_that_asked_for_it_does(database: Database) -> None:
    with pytest.raises(LookupError):
        async with database.transaction() as connection:
            await jobs.submit_job(connection, "loyalty", "import", {}, client="till-7")
            raise LookupError
    assert await JobRunner(database, {"import": count_lines}).run_next() is False


async def test_two_processes_never_do_the_same_job(database: Database) -> None:
    done: list[str] = []

    async def note(task: Task) -> None:
        done.append(task.id)
        await task.progress(1)

    submitted = [await submit(database) for _ in range(20)]
    runners = [JobRunner(database, {"import": note}) for _ in range(4)]

    async def drain(runner: JobRunner) -> None:
        while await runner.run_next():
            pass

    await asyncio.gather(*(drain(runner) for runner in runners))
    assert sorted(done) == sorted(submitted)


async def test_a_kind_this_process_does_not_know_is_left_to_others(database: Database) -> None:
    await submit(database, kind="forecast")
    assert await JobRunner(database, {"import": count_lines}).run_next() is False


async def test_a_waiting_job_is_cancelled_at_once(database: Database) -> None:
    job_id = await submit(database, lines=1)
    assert (await cancel(database, job_id)).state == "cancelled"
    assert (await cancel(database, job_id)).state == "cancelled"
    assert await JobRunner(database, {"import": count_lines}).run_next() is False


async def test_a_running_job_is_cancelled_at_its_next_step(database: Database) -> None:
    async def cancelled_midway(task: Task) -> None:
        await task.progress(1, 2)
        assert (await cancel(database, task.id)).state == "running"
        await task.progress(2, 2)
        pytest.fail("it went on")

    job_id = await submit(database)
    await JobRunner(database, {"import": cancelled_midway}).run_next()
    job = await find(database, job_id)
    assert (job.state, job.ended_at is not None) == ("cancelled", True)


async def test_a_job_that_has_ended_cannot_be_cancelled(database: Database) -> None:
    job_id = await submit(database, lines=0)
    await JobRunner(database, {"import": count_lines}).run_next()
    with pytest.raises(JobEnded):
        await cancel(database, job_id)


@pytest.mark.parametrize("job_id", ["", "loyalty", "loyalty-", "loyalty-17", f"loyalty-{uuid4()}", "\0"])
async def test_a_job_nobody_submitted_is_unknown(database: Database, job_id: str) -> None:
    with pytest.raises(UnknownJob):
        await find(database, job_id)
    with pytest.raises(UnknownJob):
        await cancel(database, job_id)


class NoProgramme(Refused):
    code = "unknown_programme"


async def test_a_refusal_fails_the_job_with_its_words_and_a_bug_with_none(database: Database) -> None:
    async def refuse(task: Task) -> None:
        raise NoProgramme("there is no such programme")

    async def break_down(task: Task) -> None:
        raise KeyError("secret")

    refused, broken = await submit(database, "refuse"), await submit(database, "break")
    runner = JobRunner(database, {"refuse": refuse, "break": break_down})
    await runner.run_next()
    await runner.run_next()
    assert (await find(database, refused)).error == "unknown_programme: there is no such programme"
    assert (await find(database, broken)).error == "internal_error"
    assert (await find(database, broken)).state == "failed"


async def test_a_job_whose_process_died_is_done_by_another(database: Database) -> None:
    job_id = await submit(database, lines=1)
    async with database.transaction() as connection:
        dead = await jobs.claim_job(connection, ["import"])
    assert dead is not None
    assert await JobRunner(database, {"import": count_lines}).run_next() is False
    await let_leases_end(database)
    assert await JobRunner(database, {"import": count_lines}).run_next() is True
    # The first holder was not dead after all: what it says now is not written down.
    async with database.transaction() as connection:
        assert await jobs.report_progress(connection, dead, 99, None) is None
        assert await jobs.end_job(connection, dead, "failed") is False
    job = await find(database, job_id)
    assert (job.state, job.progress, job.attempts) == ("done", 1, 2)


async def test_a_job_that_kills_its_process_again_and_again_is_given_up(database: Database) -> None:
    job_id = await submit(database, lines=1)
    for _ in range(jobs.MAX_ATTEMPTS):
        async with database.transaction() as connection:
            assert await jobs.claim_job(connection, ["import"])
        await let_leases_end(database)
    await JobRunner(database, {"import": count_lines}).run_next()
    job = await find(database, job_id)
    assert (job.state, job.error) == ("failed", "its process died 3 times")


async def test_a_holder_that_was_taken_over_stops(database: Database) -> None:
    async def taken_over(task: Task) -> None:
        await let_leases_end(database)
        async with database.transaction() as connection:
            assert await jobs.claim_job(connection, ["import"])
        await task.progress(1)
        pytest.fail("it went on")

    job_id = await submit(database)
    await JobRunner(database, {"import": taken_over}).run_next()
    assert (await find(database, job_id)).state == "running"


@pytest.mark.parametrize("ending", [asyncio.CancelledError(), Unavailable("the database is away")])
async def test_a_process_that_stops_gives_its_job_back(database: Database, ending: BaseException) -> None:
    async def interrupted(task: Task) -> None:
        raise ending

    job_id = await submit(database, lines=1)
    with pytest.raises(type(ending)):
        await JobRunner(database, {"import": interrupted}).run_next()
    assert await JobRunner(database, {"import": count_lines}).run_next() is True
    assert (await find(database, job_id)).state == "done"


async def test_a_process_told_to_stop_was_no_attempt_and_one_whose_work_failed_was(database: Database) -> None:
    ending: BaseException

    async def interrupted(task: Task) -> None:
        raise ending

    job_id, runner = await submit(database, lines=1), JobRunner(database, {"import": interrupted})
    for ending, attempts in ((asyncio.CancelledError(), 0), (Unavailable("away"), 1), (asyncio.CancelledError(), 1)):
        with pytest.raises(type(ending)):
            await runner.run_next()
        assert (await find(database, job_id)).attempts == attempts
    async with database.transaction() as connection:
        again = await jobs.claim_job(connection, ["import"])
        assert again is not None
        assert again.attempts == 2


async def test_a_runner_runs_what_comes_until_it_is_stopped(database: Database) -> None:
    stop, done = asyncio.Event(), asyncio.Event()

    async def finish(task: Task) -> None:
        done.set()

    await submit(database)
    running = asyncio.create_task(JobRunner(database, {"import": finish}).run(stop))
    await asyncio.wait_for(done.wait(), 5)
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_work_whose_lease_is_lost_is_cancelled() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def lost() -> bool:
        return False

    with pytest.raises(LeaseLost):
        await under_lease(work(), lost, every_s=0)
    assert ended.is_set()


async def test_a_lease_survives_a_database_that_is_away_for_a_moment() -> None:
    renewals, go = 0, asyncio.Event()

    async def work() -> str:
        await go.wait()
        return "done"

    async def renew() -> bool:
        nonlocal renewals
        renewals += 1
        if renewals == 1:
            raise Unavailable("away")
        go.set()
        return True

    assert await under_lease(work(), renew, every_s=0) == "done"


async def test_a_job_is_watched_and_cancelled_over_http(database: Database) -> None:
    private, public = new_key_pair()
    app = new_app("Loyalty", "1", {}, None, Verifier({"gateway": public}, "loyalty"))
    app.include_router(job_routes(database))
    assert None not in route_scopes(app).values()
    operator = Principal("console", "anna", frozenset({"jobs:read", "jobs:write"}))
    headers = {HEADER: Signer(private, "gateway").sign(operator, "loyalty")}
    job_id = await submit(database, lines=1)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://loyalty", headers=headers) as client:
        seen = (await client.get(f"/v1/jobs/{job_id}")).json()
        assert (seen["id"], seen["state"], seen["progress"], seen["total"]) == (job_id, "queued", 0, None)
        answer = await client.post(f"/v1/jobs/{job_id}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
        missing = await client.get("/v1/jobs/loyalty-17")
        assert (missing.status_code, missing.json()["code"]) == (404, "unknown_job")
