"""Gamma-Gamma: what a customer spends on an occasion.

Fader, Hardie, Lee (2005), "RFM and CLV: using iso-value curves for customer base analysis"; Fader and Hardie (2013),
"The Gamma-Gamma model of monetary value". Spend is Gamma(p, nu) around a customer's own mean, nu ~ Gamma(q, v).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """p, q without a unit, q above 1; v in major units of the currency.

    p = 1, q = 2, v = a mean gives the mean of the customer's occasions and one of that size: what serves as
    `pooled_mean` when the model cannot be fitted.
    """

    p: float
    q: float
    v: float


def expected_spend(model: GammaGamma, x: int, repeat_spend: float) -> float:
    """E[M | x, mean], major units per occasion, 0 or more: p (v + x mean) / (p x + q - 1).

    `repeat_spend` is x times the mean. Returns can turn it negative: it counts as 0 then.
    """
    return model.p * (model.v + max(repeat_spend, 0.0)) / (model.p * x + model.q - 1.0)


def population_mean(model: GammaGamma) -> float:
    """Mean spend over all customers, p v / (q - 1)."""
    return model.p * model.v / (model.q - 1.0)
