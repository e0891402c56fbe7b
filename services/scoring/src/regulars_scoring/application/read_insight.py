from __future__ import annotations

from regulars_scoring.application.ports import Insight, Reads
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.refusals import NoModelYet


async def read_insight(name: str, begin: Reads) -> tuple[Model, Insight]:
    """What the run that serves has found out under a name of `domain.insights`. Raises `NoModelYet`."""
    async with begin() as unit:
        model = await unit.model()
        insight = None if model is None else await unit.insight(name)
    if model is None or insight is None:
        # An earlier version's run, too, has left none.
        raise NoModelYet("no run has found this out yet; POST /v1/scoring/runs starts one")
    return model, insight
