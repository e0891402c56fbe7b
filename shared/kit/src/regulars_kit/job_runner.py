"""Does the jobs: claims one at a time, keeps its lease, writes down its progress and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from regulars_kit import jobs
from regulars_kit.db import Database
from regulars_kit.jobs import Job, State
from regulars_kit.leases import LeaseLost, pause, under_lease
from regulars_kit.values import Refused, Unavailable

POLL_S = 1.0
"""How often a process looks for a job: so long a new one waits at most."""

log = structlog.get_logger("regulars.jobs")


class JobCancelled(Exception):
    """Somebody asked the job to stop; raised by `Task.progress`, and not to be caught by the work."""


class Task:
    """A job in the hands of its work."""

    def __init__(self, job: Job, database: Database) -> None:
        self.id = job.id
        self.payload = job.payload
        self.client = job.client
        self._job = job
        self._database = database

    async def progress(self, done: int, total: int | None = None) -> None:
        """Tell how far it is, in whatever unit `total` counts. Raises `JobCancelled` or `LeaseLost`: stop then."""
        async with self._database.transaction() as connection:
            is_cancelled = await jobs.report_progress(connection, self._job, done, total)
        if is_cancelled is None:
            raise LeaseLost
        if is_cancelled:
            raise JobCancelled


JobWork = Callable[[Task], Awaitable[Mapping[str, Any] | None]]
"""Does one kind of job and returns its result. After a crash it is called again: it must do no harm twice."""


class JobRunner:
    """Runs the jobs of one service in this process, one at a time."""

    def __init__(self, database: Database, kinds: Mapping[str, JobWork]) -> None:
        self._database = database
        self._kinds = dict(kinds)

    async def run(self, stop: asyncio.Event) -> None:
        """Run jobs until `stop` is set. Cancelled in the middle of one, it gives the job back for another process."""
        while not stop.is_set():
            try:
                if await self.run_next():
                    continue
            except Unavailable as error:
                log.warning("jobs wait for the database", detail=error.detail)
            await pause(stop, POLL_S)

    async def run_next(self) -> bool:
        """Run the next job to its end; False when there is none. Raises `Unavailable`."""
        async with self._database.transaction() as connection:
            job = await jobs.claim_job(connection, list(self._kinds))
        if job is None:
            return False
        if job.cancel_requested:
            await self._end(job, "cancelled")
        elif job.attempts > jobs.MAX_ATTEMPTS:
            await self._end(job, "failed", error=f"its process died {jobs.MAX_ATTEMPTS} times")
        else:
            await self._work(job)
        return True

    async def _work(self, job: Job) -> None:
        work = self._kinds[job.kind]
        try:
            result = await under_lease(_call(work, Task(job, self._database)), lambda: self._renew(job))
            await self._end(job, "done", result=result)
        except JobCancelled:
            await self._end(job, "cancelled")
        except LeaseLost:
            log.warning("job taken over by another process", job=job.id)
        except asyncio.CancelledError:
            await self._give_back(job, has_failed=False)
            raise
        except Unavailable:
            await self._give_back(job, has_failed=True)
            raise
        except Refused as refusal:
            await self._end(job, "failed", error=f"{refusal.code}: {refusal.detail}")
        except Exception:
            # The outermost loop of a job: a bug in one kind must not stop the others.
            log.exception("job failed", job=job.id, kind=job.kind)
            await self._end(job, "failed", error="internal_error")

    async def _renew(self, job: Job) -> bool:
        async with self._database.transaction() as connection:
            return await jobs.renew_job(connection, job)

    async def _give_back(self, job: Job, *, has_failed: bool) -> None:
        try:
            async with self._database.transaction() as connection:
                await jobs.give_back_job(connection, job, has_failed=has_failed)
        except Unavailable:
            log.warning("job left to its lease", job=job.id)

    async def _end(self, job: Job, state: State, *, result: object = None, error: str | None = None) -> None:
        async with self._database.transaction() as connection:
            await jobs.end_job(connection, job, state, result=result, error=error)


async def _call(work: JobWork, task: Task) -> Mapping[str, Any] | None:
    return await work(task)
