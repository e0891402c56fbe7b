"""Long work as rows: asked for in a request's own commit, done by a `consume` process, watched and cancelled by id.

Rows claimed with SKIP LOCKED in the service's own database: a job exists exactly when the change that asked for it
does. How they are run stands in `job_runner`; what runs every so often in `schedules`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_kit import schedules
from regulars_kit.leases import LEASE_S
from regulars_kit.schedules import Schedule
from regulars_kit.values import Refused, new_id

__all__ = ["DDL", "Job", "JobEnded", "Schedule", "UnknownJob", "cancel_job", "find_job", "submit_job"]

DDL: tuple[str, ...] = (
    """
    CREATE TABLE jobs (
        id text PRIMARY KEY,
        kind text NOT NULL,
        state text NOT NULL DEFAULT 'queued'
            CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
        progress bigint NOT NULL DEFAULT 0,
        total bigint,
        payload jsonb NOT NULL,
        result jsonb,
        error text,
        client text NOT NULL,
        attempts int NOT NULL DEFAULT 0,
        lease_until timestamptz,
        cancel_requested boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        ended_at timestamptz
    )
    """,
    "CREATE INDEX jobs_open ON jobs (created_at) WHERE state IN ('queued', 'running')",
    "CREATE INDEX jobs_by_end ON jobs (ended_at) WHERE ended_at IS NOT NULL",
    *schedules.DDL,
)

MAX_ATTEMPTS = 3
"""A job whose process died this often is likely what killed it."""

State = Literal["queued", "running", "done", "failed", "cancelled"]


class UnknownJob(Refused):
    """There is no such job: none was made, or it ended 90 days ago."""

    code: ClassVar[str] = "unknown_job"


class JobEnded(Refused):
    """The job has ended and cannot be cancelled any more."""

    code: ClassVar[str] = "job_ended"


@dataclass(frozen=True, slots=True)
class Job:
    """`id` carries its service (`loyalty-0197…`), so that the door can route by it. `total` None: not known yet.

    `attempts` counts the claims, those given back in good order aside; a holder of another number writes nothing.
    """

    id: str
    kind: str
    state: State
    progress: int
    total: int | None
    payload: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: str | None
    client: str
    attempts: int
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


_COLUMNS = (
    "id, kind, state, progress, total, payload, result, error, client, attempts, cancel_requested,"
    " created_at, started_at, ended_at"
)


async def submit_job(
    connection: AsyncConnection, service: str, kind: str, payload: Mapping[str, Any], *, client: str
) -> str:
    """Queue a job in the caller's transaction and return its id. `payload` is JSON; it holds ids, not documents."""
    job_id = f"{service}-{new_id()}"
    await connection.execute(
        text("INSERT INTO jobs (id, kind, payload, client) VALUES (:id, :kind, CAST(:payload AS jsonb), :client)"),
        {"id": job_id, "kind": kind, "payload": json.dumps(payload), "client": client},
    )
    return job_id


async def find_job(connection: AsyncConnection, job_id: str) -> Job:
    """Raises `unknown_job`."""
    found = await connection.execute(text(f"SELECT {_COLUMNS} FROM jobs WHERE id = :id"), {"id": _well_formed(job_id)})
    row = found.one_or_none()
    if row is None:
        raise UnknownJob("there is no such job")
    return _job(row)


async def cancel_job(connection: AsyncConnection, job_id: str) -> Job:
    """Cancel it: at once while it waits, at its next step while it runs. Raises `unknown_job` or `job_ended`."""
    found = await connection.execute(
        text(
            "UPDATE jobs SET cancel_requested = true,"
            " state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,"
            " ended_at = CASE state WHEN 'queued' THEN now() ELSE ended_at END"
            f" WHERE id = :id AND state IN ('queued', 'running') RETURNING {_COLUMNS}"
        ),
        {"id": _well_formed(job_id)},
    )
    row = found.one_or_none()
    if row is not None:
        return _job(row)
    job = await find_job(connection, job_id)
    if job.state == "cancelled":
        return job
    raise JobEnded("the job has ended")


def _well_formed(job_id: str) -> str:
    service, _, bare = job_id.partition("-")
    try:
        return f"{service}-{UUID(bare)}"
    except ValueError:
        raise UnknownJob("there is no such job") from None


# A queued job, or a running one whose holder fell silent; the oldest first.
_CLAIM = text(
    f"""
    UPDATE jobs SET state = 'running', attempts = attempts + 1, started_at = coalesce(started_at, now()),
        lease_until = now() + :lease_s * interval '1 second'
    WHERE id = (
        SELECT id FROM jobs
        WHERE kind = ANY(:kinds) AND (state = 'queued' OR (state = 'running' AND lease_until < now()))
        ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING {_COLUMNS}
    """
)


async def claim_job(connection: AsyncConnection, kinds: list[str], *, lease_s: float = LEASE_S) -> Job | None:
    """Take the oldest job of these kinds that nobody works at; None when there is none."""
    row = (await connection.execute(_CLAIM, {"kinds": kinds, "lease_s": lease_s})).one_or_none()
    return None if row is None else _job(row)


# `attempts` is the fence: a holder that was taken over writes nothing any more.
_HELD = "WHERE id = :id AND state = 'running' AND attempts = :attempts"


async def report_progress(connection: AsyncConnection, job: Job, progress: int, total: int | None) -> bool | None:
    """Store how far it is; returns whether it was asked to stop, None when the job is no longer the caller's."""
    found = await connection.execute(
        text(
            "UPDATE jobs SET progress = :progress, total = coalesce(:total, total),"
            f" lease_until = now() + :lease_s * interval '1 second' {_HELD} RETURNING cancel_requested"
        ),
        {**_holder(job), "progress": progress, "total": total, "lease_s": LEASE_S},
    )
    row = found.one_or_none()
    return None if row is None else bool(row.cancel_requested)


async def renew_job(connection: AsyncConnection, job: Job) -> bool:
    """Hold it for another lease; False when it is no longer the caller's."""
    renewed = await connection.execute(
        text(f"UPDATE jobs SET lease_until = now() + :lease_s * interval '1 second' {_HELD}"),
        {**_holder(job), "lease_s": LEASE_S},
    )
    return renewed.rowcount == 1


async def give_back_job(connection: AsyncConnection, job: Job, *, has_failed: bool) -> None:
    """Let go of it for whoever comes next. Unless its work has failed it was no attempt; the caller writes no more."""
    await connection.execute(
        text(f"UPDATE jobs SET lease_until = now() - interval '1 second', attempts = attempts - :undone {_HELD}"),
        {**_holder(job), "undone": 0 if has_failed else 1},
    )


async def end_job(
    connection: AsyncConnection, job: Job, state: State, *, result: object = None, error: str | None = None
) -> bool:
    """Write down how it ended; False when it is no longer the caller's."""
    ended = await connection.execute(
        text(
            "UPDATE jobs SET state = :state, result = CAST(:result AS jsonb), error = :error, ended_at = now(),"
            f" lease_until = NULL {_HELD}"
        ),
        {**_holder(job), "state": state, "result": None if result is None else json.dumps(result), "error": error},
    )
    return ended.rowcount == 1


def _holder(job: Job) -> dict[str, object]:
    return {"id": job.id, "attempts": job.attempts}


def _job(row: Row[Any]) -> Job:
    return Job(**row._mapping)
