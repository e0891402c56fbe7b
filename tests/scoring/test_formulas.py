"""The formulas with their arithmetic; and the kernels beside the formulas they repeat, over all of CDNOW."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import hyp2f1

from regulars_scoring.adapters.engine import kernels
from regulars_scoring.adapters.engine.outlook import outlook_of
from regulars_scoring.adapters.engine.population import population_of
from regulars_scoring.domain import beta_geometric, hypergeometric, pareto_nbd
from regulars_scoring.domain.bg_nbd import BgNbd
from regulars_scoring.domain.buying import Fitted, discounted_if_alive
from regulars_scoring.domain.buying import expected_if_alive as expected_if_alive_of
from regulars_scoring.domain.buying import p_alive as p_alive_of
from regulars_scoring.domain.gamma_gamma import GammaGamma, expected_spend, population_mean
from regulars_scoring.domain.hypergeometric import mean_inverse
from regulars_scoring.domain.mbg_nbd import MbgNbd, expected_if_alive, expected_purchases, p_alive
from regulars_scoring.domain.pareto_nbd import ParetoNbd
from regulars_scoring.domain.value import MONTH_DAYS, MONTHLY_RATE, MONTHS, discounted_purchases
from scoring import cdnow

CDNOW = MbgNbd(0.525, 7 * 6.183, 0.891, 1.614)
NOBODY_LEAVES = MbgNbd(0.826, 70.2, 4.3e-4, 6.5e5)


def test_who_never_leaves_is_expected_at_their_rate() -> None:
    # Of negative binomial purchases (r + x) / (alpha + T) a day are expected: (0.826 + 3) / (70.2 + 100) * 365 = 8.205.
    assert expected_if_alive(NOBODY_LEAVES, 3, 100, 365) == pytest.approx(8.205, abs=1e-3)


def test_a_one_time_buyer_is_never_alive_with_certainty() -> None:
    # 1 / (1 + 0.891 / 1.614 * ((43.281 + 200) / 43.281) ** 0.525) = 0.42256
    assert p_alive(CDNOW, 0, 0, 200) == pytest.approx(0.42256, abs=1e-5)
    assert p_alive(CDNOW, 0, 0, 0) == pytest.approx(1.614 / (0.891 + 1.614))


def test_purchases_counted_in_a_simulation_are_those_expected() -> None:
    chance = np.random.default_rng(11)
    made = [_purchases_within(CDNOW, 365.0, chance) for _ in range(20_000)]
    # The standard error of the mean is some 0.02.
    assert np.mean(made) == pytest.approx(expected_purchases(CDNOW, 0, 0, 0, 365), abs=0.08)


def _purchases_within(model: MbgNbd, horizon: float, chance: np.random.Generator) -> int:
    """Repeat purchases of one new customer who lives by the model's story."""
    rate, leaves = chance.gamma(model.r) / model.alpha, chance.beta(model.a, model.b)
    at, made = 0.0, 0
    while chance.random() >= leaves and (at := at + chance.exponential(1 / rate)) <= horizon:
        made += 1
    return made


def test_value_is_the_months_discounted_at_their_ends() -> None:
    until = [expected_if_alive(CDNOW, 2, 100, MONTH_DAYS * month) for month in range(MONTHS + 1)]
    by_hand = sum((until[k] - until[k - 1]) / (1 + MONTHLY_RATE) ** k for k in range(1, MONTHS + 1))
    assert discounted_purchases(CDNOW, 2, 100) == pytest.approx(by_hand, rel=1e-12)


def test_spend_lies_between_the_customers_mean_and_everybodys() -> None:
    model = GammaGamma(6.25, 3.74, 15.44)
    assert expected_spend(model, 0, 0.0) == pytest.approx(population_mean(model)) == pytest.approx(35.22, abs=0.01)
    assert population_mean(model) < expected_spend(model, 4, 4 * 80.0) < 80.0
    assert 0 <= expected_spend(model, 1, -50.0) < population_mean(model)  # returns of what was bought before


def test_the_kernels_say_the_same_of_every_customer_of_cdnow() -> None:
    people = cdnow.population()
    spend = GammaGamma(6.25, 3.74, 15.44)
    value = kernels.expected_spend(spend, people.x, people.repeat_minor, 100.0)
    value *= outlook_of(CDNOW, people.x, people.t_x, people.T).purchases_within_a_year()
    live = [
        expected_spend(spend, x, minor / 100) * p_alive(CDNOW, x, t_x, T) * discounted_purchases(CDNOW, x, T)
        for x, t_x, T, minor in zip(
            *(column.tolist() for column in (people.x, people.t_x, people.T, people.repeat_minor)), strict=True
        )
    ]
    assert value == pytest.approx(live, rel=1e-9)
    assert all(math.isfinite(each) and each >= 0 for each in live)


def test_nobody_at_all_is_no_trouble_to_the_kernels() -> None:
    nobody = population_of(*np.empty((5, 0), np.int64))
    assert outlook_of(CDNOW, nobody.x, nobody.t_x, nobody.T).purchases_within_a_year().size == 0


@pytest.mark.parametrize("history", [(0, 0, 39.0), (7, 35.0, 77.86), (2, 30.43, 38.86)])
@pytest.mark.parametrize("s", [0.606, 1.0, 2.4])
def test_pareto_nbd_counts_what_is_bought_as_its_story_does(s: float, history: tuple[int, float, float]) -> None:
    """Beside integrals over the time of leaving, by quadrature."""
    model = ParetoNbd(0.553, 10.578, s, 11.669)
    x, t_x, T = history
    shape, A, B = model.r + x, model.alpha + T, model.beta + T

    def stays(u: float) -> float:
        return float((B / (B + u)) ** s)

    expected = shape / A * quad(stays, 0, 26)[0]
    first = quad(lambda u: shape / A * (A / (A + u)) ** (shape + 1) * stays(u), 0, 26)[0]
    forever = shape / A * quad(lambda u: stays(u) * math.exp(-0.0027 * u), 0, np.inf, limit=200)[0]
    alive = pareto_nbd.p_alive(model, x, t_x, T)
    assert pareto_nbd.expected_purchases(model, x, t_x, T, 26) == pytest.approx(alive * expected, rel=1e-9)
    assert pareto_nbd.churn(model, x, t_x, T, 26) == pytest.approx(1 - alive * first, rel=1e-9)
    assert pareto_nbd.discounted_forever(model, x, t_x, T, 0.0027) == pytest.approx(alive * forever, rel=1e-8)
    gone = quad(lambda y: s * (model.alpha + y) ** -shape * (model.beta + y) ** -(s + 1), t_x, T)[0]
    assert alive == pytest.approx(1 / (1 + gone * A**shape * B**s), rel=1e-9)


@pytest.mark.parametrize("model", [CDNOW, BgNbd(0.243, 7 * 4.414, 0.793, 2.426), ParetoNbd(0.553, 74.0, 0.606, 81.7)])
def test_all_purchases_to_come_are_those_of_every_horizon_discounted(model: Fitted) -> None:
    """DERT is the integral of rate e^(-rate t) E[Y(t)], here for customers who came seven times, once, and just now."""
    rate = 0.0027 / 7
    for x, t_x, T in [(7, 245, 545), (0, 0, 273), (0, 0, 0)]:
        alive = p_alive_of(model, x, t_x, T)

        def due(u: float, x: int = x, T: int = T, alive: float = alive) -> float:
            return math.exp(-u) * alive * expected_if_alive_of(model, x, T, u / rate)

        by_hand = quad(due, 0, 60, limit=200)[0]
        assert alive * discounted_if_alive(model, x, T, rate) == pytest.approx(by_hand, rel=1e-8)


@pytest.mark.parametrize(("p", "q", "y"), [(0.5, 0.7, 3.0), (1.6, 0.25, 40.0), (50.0, 1.6, 10.0), (2.0, 3.0, 0.0)])
def test_the_continued_fraction_is_gausss_function(p: float, q: float, y: float) -> None:
    assert mean_inverse(p, q, y) == pytest.approx(float(hyp2f1(1, p, p + q, -y)), rel=1e-13)


def test_the_continued_fraction_has_all_its_digits_wherever_parameters_lead() -> None:
    chance = np.random.default_rng(1)
    for p, q, y in 10.0 ** chance.uniform([-2, -2, -4], [3.3, 3.3, 4], (200, 3)):
        steps = hypergeometric.steps_for(y)
        long = hypergeometric.mean_inverse(p, q, y)
        assert long == pytest.approx(_with_steps(p, q, y, 4 * steps), rel=1e-12)
        assert 1 / (1 + y) <= long <= 1


def _with_steps(p: float, q: float, y: float, steps: int) -> float:
    """The fraction from further out, and from another end."""
    c, value = p + q, 1.0
    for k in range(steps, 0, -1):
        value = 1.0 + y * (p + k) * (c + k - 1.0) / ((c + 2 * k - 1.0) * (c + 2 * k)) / value
        value = 1.0 + y * k * (q + k - 1.0) / ((c + 2 * k - 2.0) * (c + 2 * k - 1.0)) / value
    return float(1.0 / (1.0 + y * p / c / value))


@pytest.mark.parametrize(
    ("shape", "span", "leaves", "stays", "horizon"),
    [
        *((0.6, 20.0, 0.9, 2.6, 1_000), (0.2, 15.0, 0.05, 52.0, 700)),
        *((60.0, 15.0, 8.0, 22.0, 300), (200.0, 90.0, 0.3, 0.1, 365)),
    ],
)
def test_many_purchases_are_reckoned_as_few_are(
    monkeypatch: pytest.MonkeyPatch, shape: float, span: float, leaves: float, stays: float, horizon: float
) -> None:
    alive = beta_geometric.Alive(shape, span, leaves, stays)
    at_once = beta_geometric.expected_of_many(alive, horizon)
    monkeypatch.setattr(beta_geometric, "MANY", math.inf)
    assert at_once == pytest.approx(beta_geometric.expected_purchases(alive, horizon), rel=1e-9)


def test_who_never_leaves_is_expected_at_their_rate_though_it_were_a_thousand_a_day() -> None:
    # 2000.5 / 0.5 a day for a year; of whom one in 1.5 billion leaves at a purchase.
    alive = beta_geometric.Alive(2_000.5, 0.5, 4e-4, 6e5)
    assert beta_geometric.expected_purchases(alive, 365.0) == pytest.approx(2_000.5 / 0.5 * 365, rel=1e-3)
