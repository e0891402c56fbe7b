"""The fits: parameters, and what is to be said about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from regulars_scoring.adapters.engine.beta_geometric_likelihood import bg_likelihood, mbg_likelihood
from regulars_scoring.adapters.engine.degeneracy import degeneracies_of
from regulars_scoring.adapters.engine.gamma_likelihood import GammaLikelihood
from regulars_scoring.adapters.engine.newton import NO_DAMPING, Likelihood, Maximum, Vector, maximise, standard_errors
from regulars_scoring.adapters.engine.pareto_likelihood import ParetoLikelihood
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.domain.bg_nbd import BgNbd
from regulars_scoring.domain.buying import Fitted
from regulars_scoring.domain.gamma_gamma import GammaGamma
from regulars_scoring.domain.mbg_nbd import MbgNbd
from regulars_scoring.domain.model import BG_NBD, GAMMA_GAMMA, MBG_NBD, PARETO_NBD, POOLED_MEAN
from regulars_scoring.domain.pareto_nbd import ParetoNbd
from regulars_scoring.domain.refusals import FitFailed, TooFewPurchases

FEWEST_REPEATERS = 10
"""Customers who bought again: with fewer, four parameters fit anything."""
ROWS_TO_BEGIN_WITH = 32_768
FEWEST_STRIDES = 4
"""Of fewer than so many times these rows a fit begins with all of them."""


@dataclass(frozen=True, slots=True)
class BuyingFit:
    """`degeneracies` name the boundaries that the likelihood ran to; none in a sound fit.

    Nobody leaves; all with the same chance; some at once and the others never; or all buy at the same rate, or some
    all the time and the others never.
    `standard_errors` are in the order of the parameters, from the inverse of the Hessian at the maximum; None where the
    fit is degenerate, or the likelihood too flat for any.
    """

    model: Fitted
    log_likelihood: float
    steps: int
    degeneracies: tuple[str, ...]
    standard_errors: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class SpendFit:
    """`refusal` says why the pooled mean serves instead of the model; `correlation` is of x and mean spend."""

    model: GammaGamma
    name: str
    customers: int
    log_likelihood: float | None
    correlation: float | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How a model is fitted: its likelihood, where to begin, its parameters as a value."""

    likelihood: Callable[[Ints, Ints, Ints, Ints | None], Likelihood]
    starts: Callable[[float, float], list[list[float]]]
    model: Callable[..., Fitted]


def fit_buying(x: Ints, t_x: Ints, T: Ints, name: str = MBG_NBD, customers: Ints | None = None) -> BuyingFit:
    """The named model by maximum likelihood, MBG/NBD unless said; columns are of days, one row a customer, or as many
    as `customers` says.

    Raises `TooFewPurchases`, and `FitFailed` when no step leads anywhere.
    """
    repeaters = int(((x > 0) if customers is None else customers[x > 0]).sum())
    if repeaters < FEWEST_REPEATERS:
        raise TooFewPurchases(f"a fit takes {FEWEST_REPEATERS} customers who have bought again; there: {repeaters}")
    recipe = _RECIPES[name]
    likelihood = recipe.likelihood(x, t_x, T, customers)
    observed = max(float(np.average(T, weights=customers)), 1.0)

    def is_boundary(parameters: Vector) -> bool:
        return bool(degeneracies_of(recipe.model(*parameters.tolist()), observed, is_at_bound=False))

    starts = recipe.starts(float(np.average(x, weights=customers)), observed)
    near = _near_maximum(recipe.likelihood, starts[0], x, t_x, T, customers)
    best = _best(likelihood, starts, is_boundary, near)
    if not np.isfinite(best.log_likelihood) or not (best.has_converged or best.is_at_bound):
        raise FitFailed(f"{name} did not converge in {best.steps} steps")
    model = recipe.model(*best.parameters.tolist())
    degeneracies = degeneracies_of(model, observed, is_at_bound=best.is_at_bound)
    errors = None if degeneracies else standard_errors(best)
    return BuyingFit(model, best.log_likelihood, best.steps, degeneracies, errors)


def _near_maximum(
    likelihood: Callable[..., Likelihood], start: Sequence[float], *columns: Ints | Floats | None
) -> Vector | None:
    """The maximum over every k-th row; None where rows are few, or where there is none.

    A step or two from there over all rows are enough, and each of those takes k times as long.
    """
    rows = next(column.size for column in columns if column is not None)
    if (stride := rows // ROWS_TO_BEGIN_WITH) < FEWEST_STRIDES:
        return None
    some = likelihood(*(None if column is None else column[::stride] for column in columns))
    found = maximise(some, np.array(start))
    return found.parameters if found.has_converged and not found.is_at_bound else None


def _best(
    likelihood: Likelihood,
    starts: Sequence[Sequence[float]],
    is_boundary: Callable[[Vector], bool],
    near: Vector | None,
) -> Maximum:
    """The higher of the maxima found; the second start is for when the first leads to a boundary, or nowhere."""

    def is_sound(found: Maximum) -> bool:
        return found.has_converged and not found.is_at_bound and not is_boundary(found.parameters)

    if near is not None and is_sound(found := maximise(likelihood, near, is_boundary, NO_DAMPING)):
        return found
    found = maximise(likelihood, np.array(starts[0]), is_boundary)
    if is_sound(found):
        return found
    again = maximise(likelihood, np.array(starts[1]), is_boundary)
    return max(found, again, key=lambda maximum: maximum.log_likelihood)


def _beta_geometric_starts(mean_x: float, observed: float) -> list[list[float]]:
    """alpha near a quarter of the time observed, r by the mean rate; with some drop-out, and with hardly any."""
    alpha = max(1.0, 0.25 * observed)
    r = max(0.05, mean_x / observed * alpha)
    return [[r, alpha, 0.8, 2.5], [max(r, 0.5), 2.0 * alpha, 0.05, 2.0]]


def _pareto_starts(mean_x: float, observed: float) -> list[list[float]]:
    """As for the others; lives of about the time observed, and of many times that."""
    alpha = max(1.0, 0.25 * observed)
    r = max(0.05, mean_x / observed * alpha)
    return [[r, alpha, 0.6, 0.3 * observed], [max(r, 0.5), 2.0 * alpha, 0.5, 5.0 * observed]]


_RECIPES = {
    MBG_NBD: _Recipe(mbg_likelihood, _beta_geometric_starts, MbgNbd),
    BG_NBD: _Recipe(bg_likelihood, _beta_geometric_starts, BgNbd),
    PARETO_NBD: _Recipe(ParetoLikelihood, _pareto_starts, ParetoNbd),
}


def fit_spend(x: Ints, repeat_spend: Floats, total_spend: Floats) -> SpendFit:
    """Gamma-Gamma by maximum likelihood, over who bought again and paid for it; spends in major units.

    Where it cannot be had, the pooled mean: it shrinks a customer's own mean towards everybody's by one occasion.
    """
    paid = (x > 0) & (repeat_spend > 0)
    return fit_repeat_spend(x[paid], repeat_spend[paid], pooled_mean(float(total_spend.sum()), int((x + 1).sum())))


def pooled_mean(total_spend: float, occasions: int) -> float:
    """What is spent on an occasion, in the mean over all of everybody's; 0 or more."""
    return max(total_spend, 0.0) / float(occasions)


def fit_repeat_spend(x: Ints, spend: Floats, mean: float, customers: Ints | None = None) -> SpendFit:
    """As `fit_spend`, of those alone who bought again and paid; `mean` is the pooled one.

    Each row is one of them, or as many as `customers` says.
    """
    size = int(x.size if customers is None else customers.sum())
    if size < FEWEST_REPEATERS:
        return _pooled(mean, size, "too_few_purchases")
    likelihood = GammaLikelihood(x, spend, customers)
    start = [3.0, 3.0, float(np.exp(likelihood.mean_log))]
    near = _near_maximum(GammaLikelihood, start, x, spend, customers)
    found = maximise(likelihood, np.array(start)) if near is None else maximise(likelihood, near, damping=NO_DAMPING)
    p, q, v = (float(value) for value in found.parameters)
    if not np.isfinite(found.log_likelihood) or not found.has_converged or found.is_at_bound:
        return _pooled(mean, size, "no_convergence")
    if q <= 1.0:
        return _pooled(mean, size, "infinite_mean")
    correlation = _correlation(x, spend / x, customers)
    return SpendFit(GammaGamma(p, q, v), GAMMA_GAMMA, size, found.log_likelihood, correlation, None)


def _pooled(mean: float, customers: int, refusal: str) -> SpendFit:
    return SpendFit(GammaGamma(1.0, 2.0, mean), POOLED_MEAN, customers, None, None, refusal)


def _correlation(x: Ints, mean: Floats, customers: Ints | None) -> float | None:
    """Of frequency and spend: the model takes them for independent. None when either is the same for all."""
    if np.ptp(x) == 0 or np.ptp(mean) == 0:
        return None
    covariances = np.cov(x, mean, fweights=customers)
    return float(covariances[0, 1] / np.sqrt(covariances[0, 0] * covariances[1, 1]))
