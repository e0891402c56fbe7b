"""The models of buying by their parameters, and what each says of a customer: one place that tells them apart."""

from __future__ import annotations

from regulars_scoring.domain import bg_nbd, mbg_nbd, pareto_nbd
from regulars_scoring.domain.beta_geometric import buys_within
from regulars_scoring.domain.beta_geometric import discounted_forever as dert_of
from regulars_scoring.domain.beta_geometric import expected_purchases as expected_of
from regulars_scoring.domain.bg_nbd import BgNbd
from regulars_scoring.domain.mbg_nbd import MbgNbd
from regulars_scoring.domain.pareto_nbd import ParetoNbd

Fitted = MbgNbd | BgNbd | ParetoNbd
"""What is fitted by maximum likelihood; four parameters, times in days."""


def p_alive(model: Fitted, x: int, t_x: float, T: float) -> float:
    """The probability that the customer has not left for good."""
    match model:
        case MbgNbd():
            return mbg_nbd.p_alive(model, x, t_x, T)
        case BgNbd():
            return bg_nbd.p_alive(model, x, t_x, T)
        case ParetoNbd():
            return pareto_nbd.p_alive(model, x, t_x, T)


def churn(model: Fitted, x: int, t_x: float, T: float, horizon: float) -> float:
    """churn_H, the probability of no purchase within the horizon: gone, or alive and silent."""
    return 1.0 - p_alive(model, x, t_x, T) * buys_if_alive(model, x, T, horizon)


def buys_if_alive(model: Fitted, x: int, T: float, horizon: float) -> float:
    """The probability that a customer who is alive buys within the horizon."""
    match model:
        case MbgNbd():
            return buys_within(mbg_nbd.alive_after(model, x, T), horizon)
        case BgNbd():
            return buys_within(bg_nbd.alive_after(model, x, T), horizon)
        case ParetoNbd():
            return pareto_nbd.buys_if_alive(model, x, T, horizon)


def expected_if_alive(model: Fitted, x: int, T: float, horizon: float) -> float:
    """Purchases within the horizon of a customer who is alive."""
    match model:
        case MbgNbd():
            return expected_of(mbg_nbd.alive_after(model, x, T), horizon)
        case BgNbd():
            return expected_of(bg_nbd.alive_after(model, x, T), horizon)
        case ParetoNbd():
            return pareto_nbd.expected_if_alive(model, x, T, horizon)


def discounted_if_alive(model: Fitted, x: int, T: float, rate: float) -> float:
    """DERT of a customer who is alive: all purchases to come, discounted continuously at `rate` > 0 a day."""
    match model:
        case MbgNbd():
            return dert_of(mbg_nbd.alive_after(model, x, T), rate)
        case BgNbd():
            return dert_of(bg_nbd.alive_after(model, x, T), rate)
        case ParetoNbd():
            return pareto_nbd.discounted_if_alive(model, x, T, rate)
