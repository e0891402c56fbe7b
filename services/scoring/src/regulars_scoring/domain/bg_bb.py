"""BG/BB: who can buy once in each slot of a calendar, such as a donor each year, or a subscriber of a season.

Fader, Hardie, Shang (2010), "Customer-base analysis in a discrete-time noncontractual setting". In each slot a customer
who has not left buys with probability p ~ Beta(alpha, beta); at the beginning of each they leave with probability
theta ~ Beta(gamma, delta). x purchases were made in n slots after the first purchase, the last of them in slot t_x (0:
none). Sums over slots stand for the paper's closed forms, which have a pole at gamma = 1. For trades with slots; no run
serves it, since a shop's calendar has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, exp, log

from regulars_scoring.domain.beta_geometric import log_beta, probability_of

_PRECISION = 1e-16


@dataclass(frozen=True, slots=True)
class BgBb:
    """The four parameters, all above 0."""

    alpha: float
    beta: float
    gamma: float
    delta: float


def log_likelihood(model: BgBb, x: int, t_x: int, n: int) -> float:
    """Of one customer; equation 4."""
    parts = [_log_stayed(model, x, n), *_log_left(model, x, t_x, n)]
    most = max(parts)
    return most + log(sum(exp(part - most) for part in parts))


def p_alive(model: BgBb, x: int, t_x: int, n: int) -> float:
    """The probability, 0 to 1, that the customer does not leave before slot n+1 either; equation 8."""
    return _p_here(model, x, t_x, n) * (model.delta + n) / (model.gamma + model.delta + n)


def expected_purchases(model: BgBb, x: int, t_x: int, n: int, slots: int) -> float:
    """Purchases in the next slots; equation 13. For a new customer, x = n = 0, it is E[X(slots)]."""
    staying, total = 1.0, 0.0
    for slot in range(slots):
        staying *= (model.delta + n + slot) / (model.gamma + model.delta + n + slot)
        total += staying
    return _p_here(model, x, t_x, n) * (model.alpha + x) / (model.alpha + model.beta + n) * total


def churn(model: BgBb, x: int, t_x: int, n: int, slots: int) -> float:
    """The probability of no purchase in the next slots: gone, or there until some slot and silent until then."""
    here = _p_here(model, x, t_x, n)
    staying, quiet, silent = 1.0, 1.0, 0.0
    for slot in range(slots):
        stays = (model.delta + n + slot) / (model.gamma + model.delta + n + slot)
        silent += staying * (1.0 - stays) * quiet
        staying *= stays
        quiet *= (model.beta + n - x + slot) / (model.alpha + model.beta + n + slot)
    return 1.0 - here + here * (silent + staying * quiet)


def discounted_forever(model: BgBb, x: int, t_x: int, n: int, rate: float) -> float:
    """DERT: all purchases to come, discounted by `rate` > 0 a slot, the next slot's once; equation 14."""
    worth, total, slot = 1.0, 0.0, 0
    while worth > _PRECISION * rate * total:
        worth *= (model.delta + n + slot) / (model.gamma + model.delta + n + slot) / (1.0 + rate)
        total += worth
        slot += 1
    return _p_here(model, x, t_x, n) * (model.alpha + x) / (model.alpha + model.beta + n) * total


def p_purchases(model: BgBb, x: int, n: int) -> float:
    """P(X(n) = x), that a new customer makes x purchases in n slots; equation 7."""
    stayed = comb(n, x) * exp(_log_stayed(model, x, n))
    return stayed + sum(comb(k, x) * exp(_log_left_after(model, x, k)) for k in range(x, n))


def _p_here(model: BgBb, x: int, t_x: int, n: int) -> float:
    """The probability of not having left until the end of slot n."""
    return probability_of(_log_stayed(model, x, n) - _log_likelihood_of_leaving(model, x, t_x, n)) if t_x < n else 1.0


def _log_likelihood_of_leaving(model: BgBb, x: int, t_x: int, n: int) -> float:
    """The part of the likelihood of who left after the last purchase and before slot n ended; t_x < n."""
    parts = _log_left(model, x, t_x, n)
    most = max(parts)
    return most + log(sum(exp(part - most) for part in parts))


def _log_stayed(model: BgBb, x: int, n: int) -> float:
    buying = log_beta(model.alpha + x, model.beta + n - x) - log_beta(model.alpha, model.beta)
    return buying + log_beta(model.gamma, model.delta + n) - log_beta(model.gamma, model.delta)


def _log_left(model: BgBb, x: int, t_x: int, n: int) -> list[float]:
    """Having left at the beginning of each slot after t_x."""
    return [_log_left_after(model, x, k) for k in range(t_x, n)]


def _log_left_after(model: BgBb, x: int, k: int) -> float:
    buying = log_beta(model.alpha + x, model.beta + k - x) - log_beta(model.alpha, model.beta)
    return buying + log_beta(model.gamma + 1.0, model.delta + k) - log_beta(model.gamma, model.delta)
