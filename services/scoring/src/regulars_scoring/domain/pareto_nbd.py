"""Pareto/NBD: a customer buys at a rate of their own until they leave, which may happen at any time.

Schmittlein, Morrison, Colombo (1987), "Counting your customers"; Fader and Hardie (2005), "A note on deriving the
Pareto/NBD model and related expressions". Purchases are Poisson with rate lambda ~ Gamma(r, alpha), lifetimes
exponential with rate mu ~ Gamma(s, beta). All times are in the unit of alpha and beta: days. Integrals over the moment
of leaving stand for the papers' hypergeometric functions (`log_tail`), so that nothing overflows at any x.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, inf, lgamma, log, log1p

from regulars_scoring.domain.beta_geometric import probability_of, softplus
from regulars_scoring.domain.hypergeometric import log_tail
from regulars_scoring.domain.quadrature import integral


@dataclass(frozen=True, slots=True)
class ParetoNbd:
    """The four parameters, all above 0."""

    r: float
    alpha: float
    s: float
    beta: float


def p_alive(model: ParetoNbd, x: int, t_x: float, T: float) -> float:
    """The probability that the customer has not left, 0 to 1. It never rises in T at fixed x and t_x."""
    return probability_of(-_log_odds_gone(model, x, t_x, T))


def churn(model: ParetoNbd, x: int, t_x: float, T: float, horizon: float) -> float:
    """churn_H = 1 - P(X(T, T+H) > 0 | x, t_x, T)."""
    return 1.0 - p_alive(model, x, t_x, T) * buys_if_alive(model, x, T, horizon)


def expected_purchases(model: ParetoNbd, x: int, t_x: float, T: float, horizon: float) -> float:
    """E[Y(horizon) | x, t_x, T]; equation 41 of the note. For a new customer, x = T = 0, it is E[X(horizon)]."""
    return p_alive(model, x, t_x, T) * expected_if_alive(model, x, T, horizon)


def expected_if_alive(model: ParetoNbd, x: int, T: float, horizon: float) -> float:
    """E[Y(horizon)] of a customer alive at T: (r+x)(beta+T)/((alpha+T)(s-1)) [1 - ((beta+T)/(beta+T+H))^(s-1)]."""
    excess, length = model.s - 1.0, log1p(horizon / (model.beta + T))
    lived = length if abs(excess * length) < 1e-12 else -expm1(-excess * length) / excess
    return (model.r + x) * (model.beta + T) / (model.alpha + T) * lived


def buys_if_alive(model: ParetoNbd, x: int, T: float, horizon: float) -> float:
    """The probability that a customer alive at T buys within the horizon.

    They are still there after u, and buy first then: the integral over u from 0 to H of
    (r+x) (alpha+T)^(r+x) / (alpha+T+u)^(r+x+1) ((beta+T) / (beta+T+u))^s.
    """
    A, B, shape = model.alpha + T, model.beta + T, model.r + x
    ever = log_tail(A, B, shape + 1.0, model.s)
    later = log_tail(A + horizon, B + horizon, shape + 1.0, model.s)
    scale = log(shape) + shape * log(A) + model.s * log(B)
    return min(1.0, exp(scale + ever) * -expm1(min(0.0, later - ever)))


def discounted_forever(model: ParetoNbd, x: int, t_x: float, T: float, rate: float) -> float:
    """DERT: purchases after T, discounted continuously at `rate` > 0 per unit of time."""
    return p_alive(model, x, t_x, T) * discounted_if_alive(model, x, T, rate)


def discounted_if_alive(model: ParetoNbd, x: int, T: float, rate: float) -> float:
    """DERT of a customer alive at T.

    Fader, Hardie, Lee (2005), "RFM and CLV", equation 2, whose Psi(s, s; z) is the integral over the time that the
    customer may have left: ((beta+T) / (beta+T+u))^s e^(-rate u), taken here over the logarithm of u / (beta+T).
    """
    z = rate * (model.beta + T)

    def integrand(log_time: float) -> float:
        time = exp(min(log_time, 700.0))
        return exp(log_time - z * time - model.s * log1p(time))

    lived = integral(integrand, -log(z + model.s), 0.2)
    return (model.r + x) * (model.beta + T) / (model.alpha + T) * lived


def log_likelihood(model: ParetoNbd, x: int, t_x: float, T: float) -> float:
    """Of one customer."""
    counts = lgamma(model.r + x) - lgamma(model.r) + model.r * log(model.alpha) + model.s * log(model.beta)
    return counts + _log_stayed(model, x, T) + softplus(_log_odds_gone(model, x, t_x, T))


def _log_stayed(model: ParetoNbd, x: int, T: float) -> float:
    return -(model.r + x) * log(model.alpha + T) - model.s * log(model.beta + T)


def _log_odds_gone(model: ParetoNbd, x: int, t_x: float, T: float) -> float:
    """Of having left some time between the last purchase and T; minus infinity when that was just now."""
    since, shape = (t_x if x else 0.0), model.r + x
    ever = log_tail(model.alpha + since, model.beta + since, shape, model.s + 1.0)
    later = log_tail(model.alpha + T, model.beta + T, shape, model.s + 1.0)
    if later >= ever:
        return -inf
    return log(model.s) + ever + log(-expm1(later - ever)) - _log_stayed(model, x, T)
