"""The two addresses of a service's jobs; the door routes them by the service in the job's id."""

# No `from __future__ import annotations`: FastAPI reads the annotations of functions inside a function.

from datetime import datetime
from typing import Any, Self

from fastapi import Depends
from pydantic import BaseModel

from regulars_kit import jobs
from regulars_kit.auth import requires
from regulars_kit.db import Database
from regulars_kit.http import Router
from regulars_kit.jobs import Job, State


class JobOut(BaseModel):
    """How far a job is. `total` and `progress` count what the job says they count; `result` comes when it is done."""

    id: str
    kind: str
    state: State
    progress: int
    total: int | None
    result: dict[str, Any] | None
    error: str | None
    is_cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(
            id=job.id,
            kind=job.kind,
            state=job.state,
            progress=job.progress,
            total=job.total,
            result=None if job.result is None else dict(job.result),
            error=job.error,
            is_cancel_requested=job.cancel_requested,
            created_at=job.created_at,
            started_at=job.started_at,
            ended_at=job.ended_at,
        )


def job_routes(database: Database) -> Router:
    """`GET /v1/jobs/{id}` (scope `jobs:read`) and `POST /v1/jobs/{id}/cancel` (scope `jobs:write`)."""
    router = Router(tags=["jobs"])

    @router.get("/v1/jobs/{job_id}", dependencies=[Depends(requires("jobs:read"))])
    async def get_job(job_id: str) -> JobOut:
        """How far a job is."""
        async with database.transaction() as connection:
            return JobOut.of(await jobs.find_job(connection, job_id))

    @router.post("/v1/jobs/{job_id}/cancel", status_code=202, dependencies=[Depends(requires("jobs:write"))])
    async def cancel_job(job_id: str) -> JobOut:
        """Cancel a job: at once while it waits, at its next step while it runs. Again: the same answer."""
        async with database.transaction() as connection:
            return JobOut.of(await jobs.cancel_job(connection, job_id))

    return router
