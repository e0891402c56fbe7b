from __future__ import annotations

from regulars_scoring.application.ports import Reads
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.refusals import NoModelYet
from regulars_scoring.domain.runs import Run


async def read_model(begin: Reads) -> tuple[Model, Run]:
    """What serves, and the run that it comes from. Raises `NoModelYet`."""
    async with begin() as unit:
        model = await unit.model()
        run = None if model is None else await unit.runs.find(model.run_id)
    if model is None or run is None:
        raise NoModelYet("no run was completed yet; POST /v1/scoring/runs starts one")
    return model, run
