from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from regulars_scoring.application.ports import Reads
from regulars_scoring.domain.refusals import UnknownRun
from regulars_scoring.domain.runs import Run


async def read_run(run_id: UUID, begin: Reads) -> Run:
    """Raises `UnknownRun`."""
    async with begin() as unit:
        run = await unit.runs.find(run_id)
    if run is None:
        raise UnknownRun("there is no such run")
    return run


async def list_runs(before: UUID | None, limit: int, begin: Reads) -> Sequence[Run]:
    """Runs begun before that one, the newest first."""
    async with begin() as unit:
        return await unit.runs.page(before, limit)
