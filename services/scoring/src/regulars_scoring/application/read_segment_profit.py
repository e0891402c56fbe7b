from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from regulars_scoring.application.ports import Reads
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.refusals import NoModelYet
from regulars_scoring.domain.segment_profit import CellProfit


async def read_segment_profit(first: date, last: date, begin: Reads) -> tuple[Model, Sequence[CellProfit]]:
    """What customers brought and cost in those days, both included, by month and cell. Raises `NoModelYet`."""
    async with begin() as unit:
        model = await unit.model()
        if model is None:
            raise NoModelYet("no run was completed yet; POST /v1/scoring/runs starts one")
        return model, await unit.money.by_cell(model.currency, first, last)
