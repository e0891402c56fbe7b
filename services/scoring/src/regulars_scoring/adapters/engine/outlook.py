"""What a model or a baseline says of columns of customers: `domain.serving`, and BG/NBD for comparison."""

from __future__ import annotations

from regulars_scoring.adapters.engine import baselines, kernels
from regulars_scoring.adapters.engine.pairs import distinct_pairs
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.domain.baselines import OwnRate, SilenceTable
from regulars_scoring.domain.bg_nbd import BgNbd
from regulars_scoring.domain.serving import SEEN_AGAIN_DAYS, Serving
from regulars_scoring.domain.value import YEAR_OF_ONE_A_DAY

Forecaster = Serving | BgNbd


def p_alive(model: Forecaster, x: Ints, t_x: Ints, T: Ints) -> Floats:
    """As `domain.serving.p_alive`."""
    if isinstance(model, OwnRate | SilenceTable):
        silent: Floats = 1.0 - baselines.churn(model, x, t_x, T, SEEN_AGAIN_DAYS)
        return silent
    return kernels.p_alive(model, x, t_x, T)


def churn(model: Forecaster, x: Ints, t_x: Ints, T: Ints, horizon: float) -> Floats:
    """As `domain.serving.churn`."""
    if isinstance(model, OwnRate | SilenceTable):
        return baselines.churn(model, x, t_x, T, horizon)
    return kernels.churn(model, x, kernels.p_alive(model, x, t_x, T), T, horizon)


def expected_purchases(model: Forecaster, x: Ints, t_x: Ints, T: Ints, horizon: float) -> Floats:
    """As `domain.serving.expected_purchases`; what depends on x and T alone is reckoned once for each such pair."""
    if isinstance(model, OwnRate | SilenceTable):
        return baselines.expected_purchases(model, x, t_x, T, horizon)
    pair_x, pair_T, places = distinct_pairs(x, T)
    return kernels.p_alive(model, x, t_x, T) * kernels.expected_if_alive(model, pair_x, pair_T, horizon)[places]


def purchases_within_a_year(model: Forecaster, x: Ints, t_x: Ints, T: Ints) -> Floats:
    """As `domain.serving.purchases_within_a_year`."""
    if isinstance(model, OwnRate | SilenceTable):
        return baselines.expected_purchases(model, x, t_x, T, 1.0) * YEAR_OF_ONE_A_DAY
    pair_x, pair_T, places = distinct_pairs(x, T)
    return kernels.p_alive(model, x, t_x, T) * kernels.discounted_purchases(model, pair_x, pair_T)[places]
