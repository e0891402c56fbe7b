"""What a model says of everybody, unrounded: the columns of a file of scores. The one place that asks the kernels.

Whatever model serves, it comes in as the run's `Model`; another one is plugged in here and in `drafting`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from regulars_kit.values import currency_exponent
from regulars_scoring.adapters.engine import kernels
from regulars_scoring.adapters.engine.population import Floats, Population
from regulars_scoring.domain.mbg_nbd import expected_purchases
from regulars_scoring.domain.model import Model


@dataclass(frozen=True, slots=True)
class Outlook:
    """Columns in the order of the population. `expected` by horizon in days; spend and value in major units.

    `churn` is P(no purchase within the model's horizon).
    """

    alive: Floats
    churn: Floats
    expected: Mapping[int, Floats]
    spend: Floats
    clv: Floats


def outlook_of(population: Population, model: Model, horizons: Sequence[int]) -> Outlook:
    """What is expected of everybody, counted from the population's day."""
    x, T, buying = population.x, population.T, model.buying
    pair_x, pair_T, places = kernels.pairs_of(population)
    alive = kernels.p_alive(buying, x, population.t_x, T)
    repeat = population.repeat_minor / 10.0 ** currency_exponent(model.currency)
    spend = kernels.expected_spend(model.spending, x, repeat)
    within = {days: kernels.expected_if_alive(buying, pair_x, pair_T, float(days))[places] for days in horizons}
    return Outlook(
        alive=alive,
        churn=kernels.churn(buying, x, alive, T, model.horizon_days),
        expected={days: alive * purchases for days, purchases in within.items()},
        spend=spend,
        clv=spend * alive * kernels.discounted_purchases(buying, pair_x, pair_T)[places],
    )


def repeats_by_age(model: Model, days: int) -> Floats:
    """Repeat purchases expected of a customer by each age from 0 to `days`, of whom only the first is known."""
    return np.array([expected_purchases(model.buying, 0, 0, 0, float(age)) for age in range(days + 1)])
