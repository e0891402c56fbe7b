"""The boundaries that a likelihood can run to, by name: there a model says less than its parameters seem to."""

from __future__ import annotations

from math import expm1, log1p

from regulars_scoring.domain.bg_bb import BgBb
from regulars_scoring.domain.buying import Fitted
from regulars_scoring.domain.pareto_nbd import ParetoNbd

NO_DROP_OUT = "no_drop_out"
HOMOGENEOUS_DROP_OUT = "homogeneous_drop_out"
HOMOGENEOUS_RATES = "homogeneous_rates"
POLARISED_DROP_OUT = "polarised_drop_out"
POLARISED_RATES = "polarised_rates"
AT_BOUND = "at_bound"

_LEAST_DROP_OUT = 1e-3
_MOST_ALIKE = 1e3
_LEAST_ALIKE = 1e-3
_SHORTEST_DAYS = 0.01
"""Of alpha and beta: below, whatever rates are like within a quarter of an hour decides of customers' lives."""


def degeneracies_of(model: Fitted, observed: float, *, is_at_bound: bool) -> tuple[str, ...]:
    """What is degenerate about a fit to customers observed for so many days in the mean; nothing in a sound one."""
    found = [name for name in (_of_leaving(model, observed),) if name is not None]
    if model.r > _MOST_ALIKE:
        found.append(HOMOGENEOUS_RATES)
    if model.r < _LEAST_ALIKE or model.alpha < _SHORTEST_DAYS:
        found.append(POLARISED_RATES)
    if is_at_bound and not found:
        found.append(AT_BOUND)
    return tuple(found)


def slot_degeneracies_of(model: BgBb, *, is_at_bound: bool) -> tuple[str, ...]:
    """The same of a fit to slots."""
    leaving = _of_beta(model.gamma / (model.gamma + model.delta), model.gamma + model.delta)
    found = [] if leaving is None else [leaving]
    if model.alpha + model.beta > _MOST_ALIKE:
        found.append(HOMOGENEOUS_RATES)
    if model.alpha + model.beta < _LEAST_ALIKE:
        found.append(POLARISED_RATES)
    if is_at_bound and not found:
        found.append(AT_BOUND)
    return tuple(found)


def _of_leaving(model: Fitted, observed: float) -> str | None:
    """Whether anybody leaves, and whether customers differ in it as they do in life: neither not at all nor wholly."""
    if isinstance(model, ParetoNbd):
        left = -expm1(-model.s * log1p(observed / model.beta))
        alike = 0.0 if model.beta < _SHORTEST_DAYS else model.s
    else:
        left, alike = model.a / (model.a + model.b), model.a + model.b
    return _of_beta(left, alike)


def _of_beta(left: float, alike: float) -> str | None:
    if left < _LEAST_DROP_OUT:
        return NO_DROP_OUT
    if alike > _MOST_ALIKE:
        return HOMOGENEOUS_DROP_OUT
    return POLARISED_DROP_OUT if alike < _LEAST_ALIKE else None
