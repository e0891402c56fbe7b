"""How a shop wants its customers placed: what RFM looks at, by which cuts, under which names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from regulars_scoring.domain.grid import DEFAULT_GRID, SCORES, Grid
from regulars_scoring.domain.refusals import InvalidRfm
from regulars_scoring.domain.rfm import Cuts

OwnCut = tuple[int, ...]
"""Four whole numbers, ascending."""


@dataclass(frozen=True, slots=True)
class OwnCuts:
    """Cuts that the shop sets itself, axis by axis; None: fifths of the customers.

    `recency_days`: the most days since the last occasion that score 5, 4, 3, 2. `frequency` and `monetary_minor`: the
    least occasions and net minor units that score 2, 3, 4, 5.
    """

    recency_days: OwnCut | None = None
    frequency: OwnCut | None = None
    monetary_minor: OwnCut | None = None

    @property
    def recency(self) -> Cuts | None:
        """As cuts of negated days."""
        return None if self.recency_days is None else tuple(-days for days in reversed(self.recency_days))


@dataclass(frozen=True, slots=True)
class RfmSettings:
    """`window_days`: frequency and monetary value count these days alone; None: all history. Recency always knows all.

    `is_nested`: frequency is scored among those alike in recency, monetary value among those alike in both.
    """

    window_days: int | None = None
    is_nested: bool = False
    cuts: OwnCuts = OwnCuts()
    grid: Grid = DEFAULT_GRID


DEFAULT_SETTINGS = RfmSettings()


def check_settings(settings: RfmSettings) -> None:
    """Raises `InvalidRfm` for cuts that do not ascend, and for a grid that does not cover each cell exactly once."""
    for axis in ("recency_days", "frequency", "monetary_minor"):
        cut: OwnCut | None = getattr(settings.cuts, axis)
        if cut is not None and sorted(set(cut)) != list(cut):
            raise InvalidRfm("cuts ascend: each is above the one before", field=f"/cuts/{axis}")
    _check_grid(settings.grid)


def _check_grid(grid: Grid) -> None:
    for place, area in enumerate(grid.areas):
        for axis, scores in (("recency", area.recency), ("frequency", area.frequency)):
            if len(set(scores)) != len(scores):
                raise InvalidRfm("a score is named once", field=f"/grid/{place}/{axis}")
    covered = Counter((r, f) for area in grid.areas for r in area.recency for f in area.frequency)
    for recency in range(1, SCORES + 1):
        for frequency in range(1, SCORES + 1):
            if (times := covered[recency, frequency]) != 1:
                is_in = "in no area" if times == 0 else f"in {times} areas"
                raise InvalidRfm(
                    f"the cell of recency {recency} and frequency {frequency} is {is_in}; each of the 25 is in one",
                    field="/grid",
                )
