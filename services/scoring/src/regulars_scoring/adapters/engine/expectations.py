"""What is expected of everybody, unrounded: the columns of a file of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from regulars_kit.values import currency_exponent
from regulars_scoring.adapters.engine import kernels
from regulars_scoring.adapters.engine.outlook import outlook_of
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
    outlook = outlook_of(model.buying, population.x, population.t_x, population.T)
    unit = 10.0 ** currency_exponent(model.currency)
    spend = kernels.expected_spend(model.spending, population.x, population.repeat_minor, unit)
    return Expectations(
        alive=outlook.alive,
        churn=outlook.churn(model.horizon_days),
        purchases={days: outlook.purchases(float(days)) for days in horizons},
        spend=spend,
        clv=spend * outlook.purchases_within_a_year(),
    )


def repeats_by_age(model: Model, days: int) -> Floats:
    """Repeat purchases expected of a customer by each age from 0 to `days`, of whom only the first is known."""
    return np.array([serving.expected_purchases(model.buying, 0, 0, 0, age) for age in range(days + 1)])
