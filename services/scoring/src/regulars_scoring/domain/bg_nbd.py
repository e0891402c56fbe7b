"""BG/NBD: as MBG/NBD, except that nobody leaves before a first repeat purchase. For comparison alone.

Fader, Hardie, Lee (2005), "'Counting your customers' the easy way: an alternative to the Pareto/NBD model".
Purchases are Poisson with rate lambda ~ Gamma(r, alpha); after each repeat purchase a customer leaves with probability
p ~ Beta(a, b). It takes every one-time buyer to be alive with certainty, so it never serves.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, log1p

from regulars_scoring.domain import beta_geometric
from regulars_scoring.domain.beta_geometric import Alive, log_beta, probability_of, softplus


@dataclass(frozen=True, slots=True)
class BgNbd:
    """The four parameters, all above 0."""

    r: float
    alpha: float
    a: float
    b: float


def alive_after(model: BgNbd, x: int, T: float) -> Alive:
    """What x repeat purchases until T tell of a customer who is alive then."""
    return Alive(model.r + x, model.alpha + T, model.a, model.b + x)


def p_alive(model: BgNbd, x: int, t_x: float, T: float) -> float:
    """The probability that the customer has not left, 0 to 1; 1 without a repeat purchase. It never rises in T."""
    return 1.0 if x == 0 else probability_of(-_log_odds_gone(model, x, t_x, T))


def churn(model: BgNbd, x: int, t_x: float, T: float, horizon: float) -> float:
    """churn_H, the probability of no purchase within the horizon."""
    return 1.0 - p_alive(model, x, t_x, T) * beta_geometric.buys_within(alive_after(model, x, T), horizon)


def expected_purchases(model: BgNbd, x: int, t_x: float, T: float, horizon: float) -> float:
    """E[Y(horizon) | x, t_x, T], the paper's equation 10. For a new customer, x = T = 0, it is E[X(horizon)]."""
    return p_alive(model, x, t_x, T) * beta_geometric.expected_purchases(alive_after(model, x, T), horizon)


def discounted_forever(model: BgNbd, x: int, t_x: float, T: float, rate: float) -> float:
    """DERT: purchases after T, discounted continuously at `rate` per unit of time."""
    return p_alive(model, x, t_x, T) * beta_geometric.discounted_forever(alive_after(model, x, T), rate)


def log_likelihood(model: BgNbd, x: int, t_x: float, T: float) -> float:
    """Of one customer; equation 6."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    counts = lgamma(r + x) - lgamma(r) + log_beta(a, b + x) - log_beta(a, b)
    left = softplus(_log_odds_gone(model, x, t_x, T)) if x else 0.0
    return counts + r * log(alpha) - (r + x) * log(alpha + T) + left


def p_purchases(model: BgNbd, x: int, t: float) -> float:
    """P(X(t) = x), that a new customer makes x repeat purchases within t; equation 8."""
    r, a, b = model.r, model.a, model.b
    z = t / (model.alpha + t)
    if z <= 0.0:
        return float(x == 0)
    stays_alive = exp(log_beta(a, b + x) - log_beta(a, b)) * _p_unbroken(r, z, x)
    if x == 0:
        return stays_alive
    return stays_alive + exp(log_beta(a + 1.0, b + x - 1.0) - log_beta(a, b)) * _p_at_least(r, z, x)


def _p_unbroken(r: float, z: float, x: int) -> float:
    """The negative binomial probability of x purchases by somebody who never leaves."""
    return exp(lgamma(r + x) - lgamma(r) - lgamma(x + 1.0) + r * log1p(-z) + x * log(z))


def _p_at_least(r: float, z: float, x: int) -> float:
    """Its upper tail: summed upwards when it is small, where one less the rest would have no digit left."""
    below = sum(_p_unbroken(r, z, fewer) for fewer in range(x))
    if below < 0.5:
        return 1.0 - below
    weight, total, n = _p_unbroken(r, z, x), 0.0, x
    while weight > 1e-17 * total or (r + n) * z > n + 1.0:
        total += weight
        weight *= (r + n) / (n + 1.0) * z
        n += 1
    return total


def _log_odds_gone(model: BgNbd, x: int, t_x: float, T: float) -> float:
    """Of a customer with a repeat purchase."""
    silence = log(model.alpha + T) - log(model.alpha + t_x)
    return log(model.a) - log(model.b + x - 1.0) + (model.r + x) * silence
