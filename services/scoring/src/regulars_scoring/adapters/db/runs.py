"""Runs. Their jobs stand in the same database and are begun in the same commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from regulars_kit.jobs import submit_job
from regulars_scoring.adapters.db.rows import run_in
from regulars_scoring.adapters.db.session import Session
from regulars_scoring.domain.runs import Run, Wanted

SERVICE = "scoring"
JOB_KIND = "scoring_run"

_OPEN = "('queued', 'running', 'publishing')"
# A run whose job has ended (cancelled while it waited, or given up), or was pruned, has ended with it.
_ENDED_WITH_ITS_JOB = f"runs.state IN {_OPEN} AND coalesce(jobs.state, 'failed') IN ('done', 'failed', 'cancelled')"
_HOW_ITS_JOB_ENDED = "CASE WHEN jobs.state = 'cancelled' THEN 'cancelled' ELSE 'failed' END"
_READ = f"""
    SELECT runs.id, job_id, CASE WHEN {_ENDED_WITH_ITS_JOB} THEN {_HOW_ITS_JOB_ENDED} ELSE runs.state END AS state,
        as_of, horizon_days, asked_model, runs.created_at, completed_at, customers, published, alarms, failure_code,
        failure_detail, report
    FROM runs LEFT JOIN jobs ON jobs.id = runs.job_id
"""
_CLOSE_ENDED = f"""
    UPDATE runs SET state = how.state FROM (
        SELECT runs.id, {_HOW_ITS_JOB_ENDED} AS state FROM runs LEFT JOIN jobs ON jobs.id = runs.job_id
        WHERE {_ENDED_WITH_ITS_JOB}
    ) AS how WHERE runs.id = how.id
"""
_INSERT = """
    INSERT INTO runs (id, job_id, as_of, horizon_days, asked_model) VALUES ($1, '', $2, $3, $4)
    ON CONFLICT DO NOTHING RETURNING id
"""
_BEGIN = (
    f"UPDATE runs SET state = CASE WHEN model IS NULL THEN 'running' ELSE state END WHERE id = $1 AND state IN {_OPEN}"
)
_COUNT = "UPDATE runs SET published = published + $2, alarms = alarms + $3 WHERE id = $1"
_COMPLETE = """
    UPDATE runs SET state = 'completed', completed_at = $2 WHERE id = $1 AND state = 'publishing' RETURNING id
"""
_FAIL = """
    UPDATE runs SET state = 'failed', failure_code = $2, failure_detail = $3, completed_at = $4 WHERE id = $1
"""


class SqlRuns:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def find(self, run_id: UUID) -> Run | None:
        row = await self._session.first(f"{_READ} WHERE runs.id = $1", run_id)
        return None if row is None else run_in(row)

    async def page(self, before: UUID | None, limit: int) -> Sequence[Run]:
        wanted = "WHERE ($1::uuid IS NULL OR runs.id < $1) ORDER BY runs.id DESC LIMIT $2"
        return [run_in(row) for row in await self._session.fetch(f"{_READ} {wanted}", before, limit)]

    async def open(self, run_id: UUID, wanted: Wanted, client: str) -> Run | None:
        await self._session.execute(_CLOSE_ENDED)
        if await self._session.first(_INSERT, run_id, wanted.as_of, wanted.horizon_days, wanted.model) is None:
            return None
        payload = {"run_id": str(run_id)}
        job_id = await submit_job(self._session.connection, SERVICE, JOB_KIND, payload, client=client)
        await self._session.execute("UPDATE runs SET job_id = $2 WHERE id = $1", run_id, job_id)
        return await self.find(run_id)

    async def begin(self, run_id: UUID) -> None:
        await self._session.execute(_BEGIN, run_id)

    async def count(self, run_id: UUID, *, published: int, alarms: int) -> None:
        if published or alarms:
            await self._session.execute(_COUNT, run_id, published, alarms)

    async def complete(self, run_id: UUID, at: datetime) -> bool:
        return await self._session.first(_COMPLETE, run_id, at) is not None

    async def fail(self, run_id: UUID, code: str, detail: str, at: datetime) -> None:
        await self._session.execute(_FAIL, run_id, code, detail, at)
