"""What is expected of everybody, unrounded: the columns of a file of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from regulars_kit.values import currency_exponent
from regulars_scoring.adapters.engine import kernels, outlook
from regulars_scoring.adapters.engine.population import Floats, Population
from regulars_scoring.domain import serving
from regulars_scoring.domain.model import Model


@dataclass(frozen=True, slots=True)
class Expectations:
    """Columns in the order of the population. `purchases` by horizon in days; spend and value in major units.

    `churn` is P(no purchase within the model's horizon).
    """

    alive: Floats
    churn: Floats
    purchases: Mapping[int, Floats]
    spend: Floats
    clv: Floats


def expectations_of(population: Population, model: Model, horizons: Sequence[int]) -> Expectations:
    """Counted from the population's day."""
    columns = (population.x, population.t_x, population.T)
    repeat = population.repeat_minor / 10.0 ** currency_exponent(model.currency)
    spend = kernels.expected_spend(model.spending, population.x, repeat)
    return Expectations(
        alive=outlook.p_alive(model.buying, *columns),
        churn=outlook.churn(model.buying, *columns, model.horizon_days),
        purchases={days: outlook.expected_purchases(model.buying, *columns, float(days)) for days in horizons},
        spend=spend,
        clv=spend * outlook.purchases_within_a_year(model.buying, *columns),
    )


def repeats_by_age(model: Model, days: int) -> Floats:
    """Repeat purchases expected of a customer by each age from 0 to `days`, of whom only the first is known."""
    return np.array([serving.expected_purchases(model.buying, 0, 0, 0, age) for age in range(days + 1)])
