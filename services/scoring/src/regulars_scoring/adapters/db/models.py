"""A run's model as JSON in its row, and the one that serves, kept in the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from regulars_scoring.adapters.db.rfm_settings import grid_in
from regulars_scoring.adapters.db.session import Session
from regulars_scoring.domain.baselines import OwnRate, SilenceTable
from regulars_scoring.domain.cycle import NO_CYCLES, Cycles
from regulars_scoring.domain.gamma_gamma import GammaGamma
from regulars_scoring.domain.grid import DEFAULT_GRID
from regulars_scoring.domain.mbg_nbd import MbgNbd
from regulars_scoring.domain.model import MBG_NBD, OWN_RATE, PARETO_NBD, POPULATION_MEAN, RECENCY, Model
from regulars_scoring.domain.pareto_nbd import ParetoNbd
from regulars_scoring.domain.profit import ALL_MARGIN, Shares
from regulars_scoring.domain.rfm import NestedCuts, RfmCuts
from regulars_scoring.domain.serving import Serving


def document_of(model: Model) -> dict[str, Any]:
    """The model as JSON; PostgreSQL and Python write a float such that it is read back exactly."""
    return {**asdict(model), "run_id": str(model.run_id), "as_of": model.as_of.isoformat()}


def model_in(document: Mapping[str, Any]) -> Model:
    """Documents of earlier versions say nothing of grid, window and cycles: RFM was the same for all shops; nor of
    costs, which nobody had told.
    """
    grid, cycles, everybody = (document.get(name) for name in ("grid", "cycles", "everybody"))
    return Model(
        **{
            **document,
            "run_id": UUID(document["run_id"]),
            "as_of": date.fromisoformat(document["as_of"]),
            "buying": _serving_in(document["name"], document["buying"]),
            "spending": GammaGamma(**document["spending"]),
            "cuts": _cuts_in(document["cuts"]),
            "decile_bounds": tuple(document["decile_bounds"]),
            "grid": DEFAULT_GRID if grid is None else grid_in(grid),
            "cycles": NO_CYCLES if cycles is None else Cycles(**cycles),
            "everybody": ALL_MARGIN if everybody is None else Shares(**everybody),
        }
    )


def _cuts_in(document: Mapping[str, Any]) -> RfmCuts:
    nested = document.get("nested")
    return RfmCuts(
        tuple(document["recency"]),
        tuple(document["frequency"]),
        tuple(document["monetary"]),
        None if nested is None else _nested_in(nested),
    )


def _nested_in(document: Mapping[str, Any]) -> NestedCuts:
    return NestedCuts(
        tuple(tuple(cuts) for cuts in document["frequency"]),
        tuple(tuple(tuple(cuts) for cuts in row) for row in document["monetary"]),
    )


_KINDS: Mapping[str, type[Serving]] = {
    MBG_NBD: MbgNbd,
    PARETO_NBD: ParetoNbd,
    OWN_RATE: OwnRate,
    RECENCY: SilenceTable,
    POPULATION_MEAN: SilenceTable,
}


def _serving_in(name: str, parameters: Mapping[str, Any]) -> Serving:
    """JSON has lists where tables have tuples."""
    values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in parameters.items()}
    return _KINDS[name](**values)


class ModelCache:
    """The model that serves, read anew only when another run has taken over. One per process."""

    def __init__(self) -> None:
        self._model: Model | None = None

    async def serving(self, session: Session) -> Model | None:
        """None before the first run."""
        found = await session.first("SELECT run_id FROM house")
        run_id = None if found is None else found["run_id"]
        if run_id is None:
            return None
        if self._model is None or self._model.run_id != run_id:
            row = await session.first("SELECT model FROM runs WHERE id = $1", run_id)
            assert row is not None
            self._model = model_in(row["model"])
        return self._model
