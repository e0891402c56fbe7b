from __future__ import annotations

from collections.abc import Sequence

from regulars_scoring.application.ports import CellCount, DecileCount, Reads
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.refusals import NoModelYet


async def read_cells(begin: Reads) -> tuple[Model, Sequence[CellCount]]:
    """Customers by RFM cell, as published. Raises `NoModelYet`."""
    async with begin() as unit:
        model = await unit.model()
        if model is None:
            raise NoModelYet("no run was completed yet; POST /v1/scoring/runs starts one")
        return model, await unit.customers.cells()


async def read_deciles(begin: Reads) -> tuple[Model, Sequence[DecileCount]]:
    """Customers by decile of expected value, as published. Raises `NoModelYet`."""
    async with begin() as unit:
        model = await unit.model()
        if model is None:
            raise NoModelYet("no run was completed yet; POST /v1/scoring/runs starts one")
        return model, await unit.customers.deciles()
