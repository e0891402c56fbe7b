"""The fits: parameters, and what is to be said about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regulars_scoring.adapters.engine.gamma_likelihood import GammaLikelihood
from regulars_scoring.adapters.engine.mbg_likelihood import MbgLikelihood
from regulars_scoring.adapters.engine.newton import Maximum, maximise
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.domain.gamma_gamma import GammaGamma
from regulars_scoring.domain.mbg_nbd import MbgNbd
from regulars_scoring.domain.model import GAMMA_GAMMA, POOLED_MEAN
from regulars_scoring.domain.refusals import FitFailed, TooFewPurchases

FEWEST_REPEATERS = 10
"""Customers who bought again: with fewer, four parameters fit anything."""

NO_DROP_OUT = "no_drop_out"
HOMOGENEOUS_DROP_OUT = "homogeneous_drop_out"
HOMOGENEOUS_RATES = "homogeneous_rates"
POLARISED_DROP_OUT = "polarised_drop_out"
AT_BOUND = "at_bound"

_LEAST_DROP_OUT = 1e-3
_MOST_ALIKE = 1e3
_LEAST_ALIKE = 1e-3


@dataclass(frozen=True, slots=True)
class BuyingFit:
    """`degeneracies` name the boundaries that the likelihood ran to; none in a sound fit.

    Nobody leaves; all with the same chance; some at once and the others never; or all buy at the same rate.
    """

    model: MbgNbd
    log_likelihood: float
    steps: int
    degeneracies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpendFit:
    """`refusal` says why the pooled mean serves instead of the model; `correlation` is of x and mean spend."""

    model: GammaGamma
    name: str
    customers: int
    log_likelihood: float | None
    correlation: float | None
    refusal: str | None


def fit_buying(x: Ints, t_x: Ints, T: Ints) -> BuyingFit:
    """MBG/NBD by maximum likelihood. Raises `TooFewPurchases`, and `FitFailed` when no step leads anywhere."""
    if (repeaters := int((x > 0).sum())) < FEWEST_REPEATERS:
        raise TooFewPurchases(f"{repeaters} customers have bought again, and a fit takes {FEWEST_REPEATERS}")
    likelihood = MbgLikelihood(x, t_x, T)
    tried = [maximise(likelihood, start) for start in _starts(x, T)]
    best = max(tried, key=lambda maximum: maximum.log_likelihood)
    if not np.isfinite(best.log_likelihood) or not (best.has_converged or best.is_at_bound):
        raise FitFailed(f"MBG/NBD did not converge in {best.steps} steps")
    r, alpha, a, b = (float(value) for value in best.parameters)
    model = MbgNbd(r, alpha, a, b)
    return BuyingFit(model, best.log_likelihood, best.steps, _degeneracies(model, best))


def _starts(x: Ints, T: Ints) -> list[Floats]:
    """alpha near a quarter of the time observed, r by the mean rate; with some drop-out, and with hardly any."""
    observed = max(float(T.mean()), 1.0)
    alpha = max(1.0, 0.25 * observed)
    r = max(0.05, float(x.mean()) / observed * alpha)
    return [np.array([r, alpha, 0.8, 2.5]), np.array([max(r, 0.5), 2.0 * alpha, 0.05, 2.0])]


def _degeneracies(model: MbgNbd, maximum: Maximum) -> tuple[str, ...]:
    found = []
    if model.a / (model.a + model.b) < _LEAST_DROP_OUT:
        found.append(NO_DROP_OUT)
    elif model.a + model.b > _MOST_ALIKE:
        found.append(HOMOGENEOUS_DROP_OUT)
    elif model.a + model.b < _LEAST_ALIKE:
        found.append(POLARISED_DROP_OUT)
    if model.r > _MOST_ALIKE:
        found.append(HOMOGENEOUS_RATES)
    if maximum.is_at_bound and not found:
        found.append(AT_BOUND)
    return tuple(found)


def fit_spend(x: Ints, repeat_spend: Floats, total_spend: Floats) -> SpendFit:
    """Gamma-Gamma by maximum likelihood, over who bought again and paid for it; spends in major units.

    Where it cannot be had, the pooled mean: it shrinks a customer's own mean towards everybody's by one occasion.
    """
    counted = (x > 0) & (repeat_spend > 0)
    xs, spend = x[counted].astype(np.float64), repeat_spend[counted]
    if xs.size < FEWEST_REPEATERS:
        return _pooled(x, total_spend, int(xs.size), "too_few_purchases")
    likelihood = GammaLikelihood(xs, spend)
    found = maximise(likelihood, np.array([3.0, 3.0, float(np.exp(likelihood.mean_log))]))
    p, q, v = (float(value) for value in found.parameters)
    if not np.isfinite(found.log_likelihood) or not found.has_converged or found.is_at_bound:
        return _pooled(x, total_spend, int(xs.size), "no_convergence")
    if q <= 1.0:
        return _pooled(x, total_spend, int(xs.size), "infinite_mean")
    model = GammaGamma(p, q, v)
    return SpendFit(model, GAMMA_GAMMA, int(xs.size), found.log_likelihood, _correlation(xs, spend / xs), None)


def _pooled(x: Ints, total_spend: Floats, customers: int, refusal: str) -> SpendFit:
    mean = max(float(total_spend.sum()), 0.0) / float((x + 1).sum())
    return SpendFit(GammaGamma(1.0, 2.0, mean), POOLED_MEAN, customers, None, None, refusal)


def _correlation(x: Floats, mean: Floats) -> float | None:
    """Of frequency and spend: the model takes them for independent. None when either is the same for all."""
    if np.ptp(x) == 0 or np.ptp(mean) == 0:
        return None
    return float(np.corrcoef(x, mean)[0, 1])
