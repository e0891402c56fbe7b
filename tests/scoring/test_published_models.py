"""What papers and other software publish of BG/NBD and Pareto/NBD for CDNOW, reproduced.

Times are weeks unless a name says otherwise; fits are in days, so alpha and beta are 7 times, and the log-likelihood is
lower by the sum of all x times ln 7. A value holds within 1e-4 of it or half a unit of its last printed digit,
whichever is wider. W is the walkthrough of BTYD 2.4.3, M its manual, L the tests of `lifetimes`, C those of CLVTools,
P those of pymc-marketing.
"""

from __future__ import annotations

from decimal import Decimal
from math import isfinite, log

import numpy as np
import pytest

from regulars_scoring.adapters.engine.fitting import BuyingFit, fit_buying
from regulars_scoring.domain import bg_nbd, pareto_nbd
from regulars_scoring.domain.bg_nbd import BgNbd
from regulars_scoring.domain.model import BG_NBD, PARETO_NBD
from regulars_scoring.domain.pareto_nbd import ParetoNbd
from scoring import cdnow

# Digits beyond those of the paper, as C has them.
CDNOW_BG = BgNbd(0.2425945, 4.4136019, 0.7929199, 2.4258881)


def as_printed(text: str) -> object:
    """A value as it was printed, to compare with by the rule."""
    value = float(text)
    digits = Decimal(text).as_tuple().exponent
    assert isinstance(digits, int)
    return pytest.approx(value, rel=1e-4, abs=0.5 * 10.0**digits)


@pytest.fixture(scope="module")
def bg() -> BuyingFit:
    people = cdnow.population()
    return fit_buying(people.x, people.t_x, people.T, BG_NBD)


@pytest.fixture(scope="module")
def pareto() -> BuyingFit:
    people = cdnow.population()
    return fit_buying(people.x, people.t_x, people.T, PARETO_NBD)


def log_likelihood_in_weeks(fit: BuyingFit) -> float:
    return fit.log_likelihood + float(cdnow.population().x.sum()) * log(7.0)


def test_bg_nbd_is_fitted_as_published(bg: BuyingFit) -> None:
    model = bg.model
    assert isinstance(model, BgNbd)
    found = [model.r, model.alpha / 7, model.a, model.b]
    # Fader, Hardie, Lee (2005), table 2, and L, C; then C with more digits.
    assert found == [as_printed(text) for text in ("0.243", "4.414", "0.793", "2.426")]
    assert found == [as_printed(text) for text in ("0.2425945", "4.4136019", "0.7929199", "2.4258881")]
    assert log_likelihood_in_weeks(bg) == pytest.approx(-9582.429, abs=1e-3)  # C, W
    assert bg.degeneracies == ()


def test_pareto_nbd_is_fitted_as_published(pareto: BuyingFit) -> None:
    model = pareto.model
    assert isinstance(model, ParetoNbd)
    found = [model.r, model.alpha / 7, model.s, model.beta / 7]
    assert found == [as_printed(text) for text in ("0.553", "10.578", "0.606", "11.669")]  # L, C
    assert log_likelihood_in_weeks(pareto) == pytest.approx(-9594.976, abs=1e-3)  # W, C
    assert pareto.degeneracies == ()


def test_the_standard_errors_of_pareto_nbd_are_those_published(pareto: BuyingFit) -> None:
    assert pareto.standard_errors is not None
    found = np.array(pareto.standard_errors) / [1, 7, 1, 7]
    # C, whose own tests hold them to 1e-3: its optimiser stops near the maximum, its Hessian is of differences, and
    # along the ridge between s and beta the errors change three times as fast as the parameters.
    assert found == pytest.approx([0.0476264, 0.8427222, 0.1872594, 6.2105448], rel=2e-4)


def test_what_bg_nbd_expects_is_published() -> None:
    expected = bg_nbd.expected_purchases
    assert expected(CDNOW_BG, 2, 30.43, 38.86, 39) == as_printed("1.226")  # L
    assert expected(CDNOW_BG, 0, 0, 0, 52) == as_printed("1.444004")  # W
    assert expected(CDNOW_BG, 26, 30.85714, 31, 52) == as_printed("25.75659")  # W
    assert bg_nbd.p_alive(CDNOW_BG, 26, 30.85714, 31) == as_printed("0.9688523")  # W


def test_how_many_purchases_bg_nbd_expects_of_a_new_customer_is_published() -> None:
    model = BgNbd(0.243, 4.414, 0.793, 2.426)
    assert bg_nbd.p_purchases(model, 10, 2) == as_printed("1.07869e-07")  # L
    assert bg_nbd.p_purchases(model, 0, 39) == as_printed("0.5737864")  # L


def test_what_bg_nbd_expects_of_the_hold_out_is_published(bg: BuyingFit) -> None:
    model, people = bg.model, cdnow.population()
    assert isinstance(model, BgNbd)
    customers = zip(people.x.tolist(), people.t_x.tolist(), people.T.tolist(), strict=True)
    found = np.array([bg_nbd.expected_purchases(model, *customer, cdnow.HOLD_OUT_DAYS) for customer in customers])
    bins = np.minimum(people.x, 7)
    sizes = np.bincount(bins)
    assert sizes.tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]  # W
    # W, the means of customers with 0, 1, … 6 and 7 or more repeat purchases.
    published = [".2250893", ".5231364", "1.044126", "1.520256", "2.163824", "2.653789", "3.503957", "6.157036"]
    assert (np.bincount(bins, found) / sizes).tolist() == [as_printed(text) for text in published]


@pytest.mark.parametrize(("x", "t_x", "published"), [(0, 0, "-0.59947382"), (200, 38, "100.7957")])
def test_the_likelihood_of_hard_customers_is_published(x: int, t_x: float, published: str) -> None:
    # P, from Hardie's note 27 on numerical stability.
    assert bg_nbd.log_likelihood(BgNbd(0.25, 4.0, 0.8, 2.5), x, t_x, 40) == as_printed(published)


def test_whether_a_one_time_buyer_of_pareto_nbd_is_alive_is_published(pareto: BuyingFit) -> None:
    # M, by BTYD's own fit to CDNOW; at the maximum itself, a third of a thousandth further on, it is 0.29428.
    fit_of_btyd = ParetoNbd(0.5533971, 10.5801985, 0.6060625, 11.6562237)
    assert pareto_nbd.p_alive(fit_of_btyd, 0, 0, 39) == as_printed("0.2941633")
    assert isinstance(pareto.model, ParetoNbd)
    assert pareto_nbd.p_alive(pareto.model, 0, 0, 273) == pytest.approx(0.2941633, rel=5e-4)


def test_what_pareto_nbd_expects_is_published() -> None:
    fit_of_btyd = ParetoNbd(0.5533971, 10.5801985, 0.6060625, 11.6562237)
    assert pareto_nbd.expected_purchases(fit_of_btyd, 26, 30.86, 31, 52) == as_printed("25.46")  # W
    assert pareto_nbd.p_alive(fit_of_btyd, 26, 30.86, 31) == as_printed("0.9979")  # W
    # M, of a new customer in 1, 2, … 9 weeks.
    published = "0.05077821 0.09916088 0.14542507 0.18979930 0.23247466 0.27361274 0.31335159 0.35181024 0.38909211"
    model = ParetoNbd(0.55, 10.56, 0.61, 11.64)
    found = [pareto_nbd.expected_purchases(model, 0, 0, 0, weeks) for weeks in range(1, 10)]
    assert found == [as_printed(text) for text in published.split()]


@pytest.mark.parametrize(("x", "t_x", "T"), [(40, 5, 6), (50, 1, 37), (50, 4, 37), (400, 5, 6), (500, 1, 37)])
def test_parameters_that_overflowed_elsewhere_give_a_probability(x: int, t_x: float, T: float) -> None:
    # L: a mean of a thousand purchases a week.
    model = ParetoNbd(10.465, 7.98565181e-03, 3.0516, 2.820)
    assert 0 <= pareto_nbd.p_alive(model, x, t_x, T) <= 1
    assert isfinite(pareto_nbd.log_likelihood(model, x, t_x, T))


def test_pareto_nbd_does_not_overflow_where_its_papers_form_does() -> None:
    model = ParetoNbd(0.55, 10.58, 0.61, 11.67)
    # L: gamma functions of 132 and more.
    assert pareto_nbd.expected_purchases(model, 132, 200, 200, 10) == pytest.approx(6.2060517889632418, rel=1e-12)
    assert pareto_nbd.expected_purchases(model, 133, 200, 200, 10) == pytest.approx(6.2528722475748113, rel=1e-12)


@pytest.mark.parametrize(
    ("x", "t_x", "T"),
    [(221, 103.42857, 103.57143), (254, 97.14286, 97.28571), (161, 94.71429, 98.0), (204, 98.57143, 99.42857)],
)
def test_customers_who_came_to_nothing_elsewhere_are_alive_with_some_probability(x: int, t_x: float, T: float) -> None:
    # C, where an earlier version answered NaN.
    model = ParetoNbd(0.5143, 2.8845, 0.2856, 14.1087)
    alive = pareto_nbd.p_alive(model, x, t_x, T)
    assert 0 < alive < 1
    assert isfinite(pareto_nbd.log_likelihood(model, x, t_x, T))
    assert 0 < pareto_nbd.churn(model, x, t_x, T, 12.0) < 1
