"""What a run over everybody leaves behind for the scores of the days after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from regulars_scoring.domain.choice import ModelName
from regulars_scoring.domain.cycle import NO_CYCLES, Cycles
from regulars_scoring.domain.gamma_gamma import GammaGamma
from regulars_scoring.domain.grid import DEFAULT_GRID, Grid
from regulars_scoring.domain.profit import ALL_MARGIN, Shares
from regulars_scoring.domain.rfm import RfmCuts
from regulars_scoring.domain.serving import Serving

MBG_NBD: Final = "mbg_nbd"
PARETO_NBD: Final = "pareto_nbd"
OWN_RATE: Final = "own_rate"
RECENCY: Final = "recency"
POPULATION_MEAN: Final = "population_mean"
BG_NBD: Final = "bg_nbd"
"""For comparison alone."""
GAMMA_GAMMA = "gamma_gamma"
POOLED_MEAN = "pooled_mean"

DECILES = 10

Bounds = tuple[float | None, ...]
"""Nine values: at or above the k-th a customer is in decile k or better; None where ties leave nobody there."""


@dataclass(frozen=True, slots=True)
class Model:
    """Parameters, cuts and bounds of one run. Money in `currency`; `decile_bounds` in its major units."""

    run_id: UUID
    as_of: date
    horizon_days: int
    currency: str
    buying: Serving
    spending: GammaGamma
    spend_model: str
    """`gamma_gamma`, or `pooled_mean` where that could not be fitted."""
    cuts: RfmCuts
    decile_bounds: Bounds
    name: ModelName = MBG_NBD
    window_days: int | None = None
    """What frequency and monetary value of RFM look back on; None: all history."""
    grid: Grid = DEFAULT_GRID
    cycles: Cycles = NO_CYCLES
    everybody: Shares = ALL_MARGIN
    """Of all revenue; for customers who have brought none."""


def decile_of(bounds: Bounds, value: float) -> int:
    """1, the best tenth, to 10."""
    return 1 + sum(bound is None or value < bound for bound in bounds)


def decile_bounds_of(values: Iterable[float]) -> Bounds:
    """Bounds for 1 + floor(10 (above + half of the equal) / n), at most 10: halfway between the values they part.

    Halfway, so that the last bit of a value computed elsewhere moves nobody. Values are 0 or more.
    """
    counts = sorted(Counter(values).items(), reverse=True)
    customers = sum(equal for _, equal in counts)
    steps, above = list[tuple[int, float, float]](), 0
    for value, equal in counts:
        steps.append((min(DECILES, 1 + DECILES * (2 * above + equal) // (2 * customers)), value, value))
        above += equal
    return bounds_between(steps)


def bounds_between(steps: Iterable[tuple[int, float, float]]) -> Bounds:
    """From deciles, ascending, and values that are in them: each time the highest and the lowest of these."""
    bounds: list[float | None] = [None] * (DECILES - 1)
    decile, better = 1, None
    for here, highest, lowest in steps:
        bounds[decile - 1 : here - 1] = [None if better is None else (better + highest) / 2.0] * (here - decile)
        decile, better = here, lowest
    bounds[decile - 1 :] = [0.0] * (DECILES - decile)
    return tuple(bounds)
