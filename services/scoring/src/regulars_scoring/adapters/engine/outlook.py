"""What a model or a baseline says of columns of customers: `domain.serving`, and BG/NBD for comparison.

What depends on x and T alone is reckoned once for each such pair, or for fewer, and how likely each customer is alive
once for all.
"""

from __future__ import annotations

from functools import cache
from typing import Protocol

from regulars_scoring.adapters.engine import baselines, kernels
from regulars_scoring.adapters.engine.between_days import BetweenDays
from regulars_scoring.adapters.engine.pairs import distinct_pairs
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.adapters.engine.slices import by_slices
from regulars_scoring.domain.baselines import Baseline, OwnRate, SilenceTable
from regulars_scoring.domain.bg_nbd import BgNbd
from regulars_scoring.domain.buying import Fitted
from regulars_scoring.domain.serving import SEEN_AGAIN_DAYS, Serving
from regulars_scoring.domain.value import YEAR_OF_ONE_A_DAY

Forecaster = Serving | BgNbd


class Outlook(Protocol):
    """Columns in the order of the customers. Horizons in days."""

    @property
    def alive(self) -> Floats:
        """As `domain.serving.p_alive`."""

    def churn(self, horizon: float) -> Floats:
        """As `domain.serving.churn`."""

    def purchases(self, horizon: float) -> Floats:
        """As `domain.serving.expected_purchases`."""

    def purchases_within_a_year(self) -> Floats:
        """As `domain.serving.purchases_within_a_year`."""


def outlook_of(model: Forecaster, x: Ints, t_x: Ints, T: Ints) -> Outlook:
    if isinstance(model, OwnRate | SilenceTable):
        return _OfBaseline(model, x, t_x, T)
    return _OfModel(model, x, t_x, T)


class _OfModel:
    def __init__(self, model: Fitted, x: Ints, t_x: Ints, T: Ints) -> None:
        self.alive = kernels.p_alive(model, x, t_x, T)
        pair_x, pair_T, self._places = distinct_pairs(x, T)
        self._model = model
        self._of_pairs = BetweenDays(pair_x, pair_T, kernels.nearest_of(model))
        # Two of the horizons that are asked for are months of the year, too.
        self._expected_if_alive = cache(self._reckon_expected)

    def _reckon_expected(self, horizon: float) -> Floats:
        return self._of_pairs(lambda x, T: kernels.expected_if_alive(self._model, x, T, horizon))

    def churn(self, horizon: float) -> Floats:
        buys = self._of_pairs(lambda x, T: kernels.buys_if_alive(self._model, x, T, horizon))
        stays_away = self._of_living(buys)
        stays_away *= -1.0
        stays_away += 1.0
        return stays_away

    def purchases(self, horizon: float) -> Floats:
        return self._of_living(self._expected_if_alive(horizon))

    def purchases_within_a_year(self) -> Floats:
        return self._of_living(kernels.discounted_purchases(self._expected_if_alive))

    def _of_living(self, each: Floats) -> Floats:
        """What holds of each pair if alive, times the probability of that, customer by customer."""
        return by_slices(lambda places, alive: each[places] * alive, self._places, self.alive)


class _OfBaseline:
    def __init__(self, model: Baseline, x: Ints, t_x: Ints, T: Ints) -> None:
        self._columns = (x, t_x, T)
        self._model = model
        self.alive = 1.0 - self.churn(SEEN_AGAIN_DAYS)

    def churn(self, horizon: float) -> Floats:
        return baselines.churn(self._model, *self._columns, horizon)

    def purchases(self, horizon: float) -> Floats:
        return baselines.expected_purchases(self._model, *self._columns, horizon)

    def purchases_within_a_year(self) -> Floats:
        return self.purchases(1.0) * YEAR_OF_ONE_A_DAY
