"""What BG/NBD and MBG/NBD share: what a customer who is alive will yet buy.

They buy at a rate lambda and leave after each purchase with probability p. All times are in one unit: days.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, lgamma, log, log1p, sqrt

from regulars_scoring.domain.hypergeometric import mean_inverse
from regulars_scoring.domain.quadrature import integral

MANY = 2_000.0
"""Purchases from which on they are not summed one by one."""
BEYOND = 36.0
"""So many times horizon / span are summed beyond what is expected, until what is left out is negligible."""
_HUGE = 1e200
_PRECISION = 1e-14
_FEW_LEAVE = 0.5


@dataclass(frozen=True, slots=True)
class Alive:
    """What is known of a living customer: lambda ~ Gamma(shape, span), p ~ Beta(leaves, stays); all above 0."""

    shape: float
    span: float
    leaves: float
    stays: float


def probability_of(log_odds: float) -> float:
    """1 / (1 + e^-odds), for odds of any size."""
    if log_odds < 0:
        odds = exp(log_odds)
        return odds / (1.0 + odds)
    return 1.0 / (1.0 + exp(-log_odds))


def softplus(u: float) -> float:
    """ln(1 + e^u), for u of any size."""
    return max(u, 0.0) + log1p(exp(-abs(u)))


def log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def buys_within(alive: Alive, horizon: float) -> float:
    """The probability of a purchase within the horizon: 1 - (span / (span + horizon))^shape."""
    return -expm1(-alive.shape * log1p(horizon / alive.span))


def expected_purchases(alive: Alive, horizon: float) -> float:
    """E[Y(horizon)], finite for every horizon of 0 or more.

    It is the papers' expression with 2F1, summed in another order. A customer who never left would make n purchases,
    negative binomial with shape and z = horizon / (span + horizon); of them g(n) come before leaving:
    g(n+1) = g(n) + q(n), q(n+1) = q(n) (stays + n) / (leaves + stays + n), the chance of having stayed through n.
    All terms are positive, there is no pole at leaves = 1, and weights that sum to one need no gamma function.
    """
    if (alive.shape + BEYOND) * horizon / alive.span > MANY:
        return expected_of_many(alive, horizon)
    z = horizon / (alive.span + horizon)
    weight, stayed, made = 1.0, 1.0, 0.0
    mass, total = 1.0, 0.0
    n = 0
    while z > 0.0:
        ratio = (alive.shape + n) / (n + 1.0) * z
        weight *= ratio
        made += stayed
        stayed *= 1.0 - alive.leaves / (alive.leaves + alive.stays + n)
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


def expected_of_many(alive: Alive, horizon: float) -> float:
    """E[Y(horizon)] as the mean over p of [1 - (1 + p horizon / span)^-shape] / p, which is as long for any number.

    Where few leave, what is lost to leaving is reckoned instead: that falls off as p goes to 0.
    """
    ratio, norm = horizon / alive.span, log_beta(alive.leaves, alive.stays)
    unbroken = alive.shape * ratio

    def density(log_odds: float) -> float:
        return exp(-alive.leaves * softplus(-log_odds) - alive.stays * softplus(log_odds) - norm)

    def bought(log_odds: float) -> float:
        p = probability_of(log_odds)
        return -expm1(-alive.shape * log1p(p * ratio)) / p if p > 0.0 else unbroken

    middle = log(alive.leaves) - log(alive.stays)
    step = 0.3 / sqrt(1.0 + min(alive.leaves, alive.stays))
    if alive.leaves < _FEW_LEAVE:
        lost = integral(lambda log_odds: density(log_odds) * max(0.0, unbroken - bought(log_odds)), middle, step)
        return max(0.0, unbroken - lost)
    return integral(lambda log_odds: density(log_odds) * bought(log_odds), middle, step)


def discounted_forever(alive: Alive, rate: float) -> float:
    """DERT: all purchases to come, each discounted continuously at `rate` > 0 per day until it is made.

    The next purchase is worth lambda / (lambda + rate), and so on while they stay: E[lambda / (rate + p lambda)].
    The mean over p is `mean_inverse`, that over lambda an integral over its logarithm.
    """
    norm = lgamma(alive.shape) - alive.shape * log(alive.span)

    def integrand(log_lambda: float) -> float:
        purchases = exp(log_lambda)
        density = alive.shape * log_lambda - alive.span * purchases - norm
        bought = exp(density + log_lambda) / rate
        return bought * mean_inverse(alive.leaves, alive.stays, purchases / rate) if bought > 0.0 else 0.0

    return integral(integrand, log((alive.shape + 1.0) / alive.span), 0.35 / sqrt(alive.shape + 1.0))
