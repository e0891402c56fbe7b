"""MBG/NBD: how often a customer buys while they are one, and whether they still are.

Batislam, Denizel, Filiztekin (2007), "Empirical validation and comparison of models for customer base analysis".
Purchases are Poisson with rate lambda ~ Gamma(r, alpha); after each, the first included, a customer leaves with
probability p ~ Beta(a, b). All times are in the unit of alpha: days. Finite for every x, t_x <= T and horizon >= 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma, log

from regulars_scoring.domain import beta_geometric
from regulars_scoring.domain.beta_geometric import Alive, log_beta, probability_of, softplus


@dataclass(frozen=True, slots=True)
class MbgNbd:
    """The four parameters, all above 0."""

    r: float
    alpha: float
    a: float
    b: float


def alive_after(model: MbgNbd, x: int, T: float) -> Alive:
    """What x repeat purchases until T tell of a customer who is alive then."""
    return Alive(model.r + x, model.alpha + T, model.a, model.b + x + 1.0)


def p_alive(model: MbgNbd, x: int, t_x: float, T: float) -> float:
    """The probability that the customer has not left, 0 to 1. It never rises in T at fixed x and t_x."""
    return probability_of(-_log_odds_gone(model, x, t_x, T))


def churn(model: MbgNbd, x: int, t_x: float, T: float, horizon: float) -> float:
    """churn_H, the probability of no purchase within the horizon: gone, or alive and silent.

    1 - P(alive) [1 - ((alpha+T)/(alpha+T+H))^(r+x)].
    """
    return 1.0 - p_alive(model, x, t_x, T) * beta_geometric.buys_within(alive_after(model, x, T), horizon)


def expected_purchases(model: MbgNbd, x: int, t_x: float, T: float, horizon: float) -> float:
    """E[Y(horizon) | x, t_x, T]: purchases expected within the horizon after T."""
    return p_alive(model, x, t_x, T) * expected_if_alive(model, x, T, horizon)


def expected_if_alive(model: MbgNbd, x: int, T: float, horizon: float) -> float:
    """E[Y(horizon)] of a customer who is alive at T; depends on x and T alone.

    The papers' (a+b+x)/(a-1) [1 - ((alpha+T)/(alpha+T+t))^(r+x) 2F1(r+x, b+x+1; a+b+x; t/(alpha+T+t))].
    """
    return beta_geometric.expected_purchases(alive_after(model, x, T), horizon)


def discounted_forever(model: MbgNbd, x: int, t_x: float, T: float, rate: float) -> float:
    """DERT: purchases after T, discounted continuously at `rate` per unit of time."""
    return p_alive(model, x, t_x, T) * beta_geometric.discounted_forever(alive_after(model, x, T), rate)


def log_likelihood(model: MbgNbd, x: int, t_x: float, T: float) -> float:
    """Of one customer."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    counts = lgamma(r + x) - lgamma(r) + log_beta(a, b + x + 1.0) - log_beta(a, b)
    return counts + r * log(alpha) - (r + x) * log(alpha + T) + softplus(_log_odds_gone(model, x, t_x, T))


def _log_odds_gone(model: MbgNbd, x: int, t_x: float, T: float) -> float:
    since = t_x if x else 0.0
    return log(model.a) - log(model.b + x) + (model.r + x) * (log(model.alpha + T) - log(model.alpha + since))
