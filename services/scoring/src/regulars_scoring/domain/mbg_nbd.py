"""MBG/NBD: how often a customer buys while they are one, and whether they still are.

Batislam, Denizel, Filiztekin (2007), "Empirical validation and comparison of models for customer base analysis".
Purchases are Poisson with rate lambda ~ Gamma(r, alpha); after each, the first included, a customer leaves with
probability p ~ Beta(a, b). All times are in the unit of alpha: days. Finite for every x, t_x <= T and horizon >= 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, log, log1p

_HUGE = 1e200
_PRECISION = 1e-14


@dataclass(frozen=True, slots=True)
class MbgNbd:
    """The four parameters, all above 0."""

    r: float
    alpha: float
    a: float
    b: float


def p_alive(model: MbgNbd, x: int, t_x: float, T: float) -> float:
    """The probability that the customer has not left, 0 to 1. It never rises in T at fixed x and t_x."""
    since = t_x if x else 0.0
    log_odds_gone = log(model.a) - log(model.b + x) + (model.r + x) * (log(model.alpha + T) - log(model.alpha + since))
    if log_odds_gone > 0:
        gone = exp(-log_odds_gone)
        return gone / (1.0 + gone)
    return 1.0 / (1.0 + exp(log_odds_gone))


def churn(model: MbgNbd, x: int, t_x: float, T: float, horizon: float) -> float:
    """churn_H, the probability of no purchase within the horizon: gone, or alive and silent.

    1 - P(alive) [1 - ((alpha+T)/(alpha+T+H))^(r+x)].
    """
    buys_if_alive = -expm1(-(model.r + x) * log1p(horizon / (model.alpha + T)))
    return 1.0 - p_alive(model, x, t_x, T) * buys_if_alive


def expected_purchases(model: MbgNbd, x: int, t_x: float, T: float, horizon: float) -> float:
    """E[Y(horizon) | x, t_x, T]: purchases expected within the horizon after T."""
    return p_alive(model, x, t_x, T) * expected_if_alive(model, x, T, horizon)


def expected_if_alive(model: MbgNbd, x: int, T: float, horizon: float) -> float:
    """E[Y(horizon)] of a customer who is alive at T; depends on x and T alone.

    It is the papers' (a+b+x)/(a-1) [1 - ((alpha+T)/(alpha+T+t))^(r+x) 2F1(r+x, b+x+1; a+b+x; t/(alpha+T+t))], summed in
    another order. A customer who never left would make n purchases, negative binomial with r+x and z = t/(alpha+T+t);
    of them g(n) come before leaving: g(n+1) = g(n) + c q(n)/(c+n), q(n+1) = q(n) (1 - (a-1)/(c+n)), c = a+b+x. All
    terms are positive, there is no pole at a = 1, and weights that sum to one need no gamma function.
    """
    z = horizon / (model.alpha + T + horizon)
    c, excess, shape = model.a + model.b + x, model.a - 1.0, model.r + x
    weight, kept, made = 1.0, 1.0, 0.0
    mass, total = 1.0, 0.0
    n = 0
    while z > 0.0:
        ratio = (shape + n) / (n + 1.0) * z
        weight *= ratio
        made += c * kept / (c + n)
        kept *= 1.0 - excess / (c + n)
        n += 1
        mass += weight
        total += weight * made
        # The ratios move towards z and g grows by one at most, so a geometric series bounds what is left.
        bound = max(ratio, z)
        if bound < 1.0 and weight * (made + 1.0) <= _PRECISION * (1.0 - bound) ** 2 * total:
            break
        if mass > _HUGE:
            weight, mass, total = weight / _HUGE, mass / _HUGE, total / _HUGE
    return total / mass
