"""Models judged by what customers then did: the measures with their arithmetic, the hold-outs of CDNOW."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from regulars_scoring.adapters.engine.candidates import choose_model, report_of_choice
from regulars_scoring.adapters.engine.evaluation import Evaluation, evaluate, window_for
from regulars_scoring.adapters.engine.metrics import (
    auc,
    calibration_error,
    metrics_of,
    normalised_gini,
    top_decile_lift,
)
from regulars_scoring.adapters.engine.occasions import NO_OCCASIONS, occasions_of
from scoring import cdnow


def test_errors_are_of_purchases_a_customer() -> None:
    found = metrics_of(np.array([1.0, 0.5, 2.5]), np.array([0.2, 0.7, 0.1]), np.array([2, 0, 2]))
    # -1, 0.5 and 0.5 away: none in the mean, two thirds in size, the root of 1.5 / 3.
    assert [found.bias, found.mae, found.rmse] == pytest.approx([0.0, 2 / 3, 0.5**0.5])
    # Who stayed away was given 0.7, the others 0.2 and 0.1: (0.09 + 0.04 + 0.01) / 3.
    assert found.churn_brier == pytest.approx(0.14 / 3)
    assert (found.customers, found.bought, found.churn_auc) == (3, 4, 1.0)


def test_gini_is_one_for_the_right_order_and_nothing_for_no_order() -> None:
    bought = np.array([5, 3, 1, 0])
    assert normalised_gini(np.array([0.9, 0.5, 0.2, 0.1]), bought) == pytest.approx(1.0)
    assert normalised_gini(np.array([0.1, 0.2, 0.5, 0.9]), bought) == pytest.approx(-1.0)
    assert normalised_gini(np.full(4, 0.3), bought) == pytest.approx(0.0)
    assert normalised_gini(np.array([0.1, 0.2]), np.array([0, 0])) is None


def test_lift_is_of_the_best_tenth_and_shares_ties() -> None:
    bought = np.array([10] + 19 * [1])
    # Two of twenty: 10 and 1 against 29 / 20 each.
    assert top_decile_lift(np.arange(20)[::-1].astype(float), bought) == pytest.approx((11 / 2) / (29 / 20))
    assert top_decile_lift(np.ones(20), bought) == pytest.approx(1.0)
    assert top_decile_lift(np.ones(3), np.zeros(3, np.int64)) is None


def test_auc_counts_pairs_and_halves_of_ties() -> None:
    silent = np.array([1.0, 1.0, 0.0, 0.0])
    assert auc(np.array([0.9, 0.3, 0.4, 0.1]), silent) == pytest.approx(3 / 4)
    assert auc(np.array([0.5, 0.5, 0.5, 0.1]), silent) == pytest.approx((0.5 + 1 + 0.5 + 1) / 4)
    assert auc(np.array([0.5]), np.array([1.0])) is None


def test_calibration_is_judged_bin_by_bin() -> None:
    # Two said 0.2 of whom one stayed away, two said 0.9 and 1.0 and both did: (2 * 0.3 + 0.1) / 4.
    churn, silent = np.array([0.2, 0.2, 0.9, 1.0]), np.array([1.0, 0.0, 1.0, 1.0])
    assert calibration_error(churn, silent) == pytest.approx((0.6 + 0.1) / 4)
    assert calibration_error(np.empty(0), np.empty(0)) is None


def test_of_nobody_there_is_nothing_to_say() -> None:
    nobody = metrics_of(np.empty(0), np.empty(0), np.empty(0, np.int64))
    assert (nobody.customers, nobody.mae, nobody.rmse) == (0, None, None)
    assert (nobody.gini, nobody.top_decile_lift, nobody.churn_auc) == (None, None, None)


@pytest.mark.parametrize(("span", "days"), [(0, 7), (34, 7), (272, 54), (450, 90), (3000, 90)])
def test_a_window_is_a_fifth_of_the_history_and_at_most_ninety_days(span: int, days: int) -> None:
    assert window_for(span) == days


@cache
def of_cdnow() -> Evaluation:
    return evaluate(cdnow.occasions())


def test_hold_outs_roll_back_from_the_day_of_the_run() -> None:
    found = of_cdnow()
    assert (found.window_days, found.windows) == (54, (54, 108, 162))
    # All 2,357 came in the first quarter, and are there in each of the three.
    assert found.compared == 3 * 2357
    assert {judged.everybody.customers for judged in found.models.values()} == {found.compared}


def test_models_do_better_than_baselines_on_cdnow() -> None:
    losses = {name: judged.loss for name, judged in of_cdnow().models.items()}
    assert set(losses) == {"mbg_nbd", "bg_nbd", "pareto_nbd", "own_rate", "recency", "population_mean"}
    assert losses["population_mean"] == pytest.approx(2.0)
    assert max(losses["mbg_nbd"], losses["pareto_nbd"]) < min(losses["own_rate"], losses["recency"]) < 2.0


def test_the_own_past_rate_takes_no_account_of_who_left() -> None:
    models = of_cdnow().models
    mbg, own = models["mbg_nbd"].everybody, models["own_rate"].everybody
    assert mbg.bias is not None
    assert own.bias is not None
    assert abs(mbg.bias) < 0.02 < 0.1 < own.bias
    assert mbg.churn_ece is not None
    assert own.churn_ece is not None
    assert mbg.churn_ece < own.churn_ece


def test_without_a_history_nothing_is_evaluated() -> None:
    found = evaluate(NO_OCCASIONS)
    assert (found.windows, found.compared, dict(found.models)) == ((), 0, {})


def test_the_choice_for_cdnow_is_mbg_nbd_and_its_report_is_json() -> None:
    chosen = choose_model(cdnow.population(), cdnow.occasions(), "auto")
    assert (chosen.choice.served, chosen.choice.reason) == ("mbg_nbd", "evaluation")
    report = report_of_choice(chosen, cdnow.CALIBRATION_END)
    assert json.loads(json.dumps(report)) == report
    evaluation = report["evaluation"]
    assert isinstance(evaluation, dict)
    assert evaluation["origins"] == ["1997-08-07", "1997-06-14", "1997-04-21"]
    assert [name for name, judged in evaluation["models"].items() if not judged["serves"]] == ["bg_nbd"]
    fits = report["fits"]
    assert isinstance(fits, dict)
    assert fits["pareto_nbd"]["standard_errors"]["r"] == pytest.approx(0.0476, abs=1e-4)


def test_forecasts_of_a_window_do_not_change_with_what_was_bought_in_it() -> None:
    occasions = cdnow.occasions()
    before = occasions.age >= 54
    # Everybody comes once more, yesterday: the baselines and fits of the first window must not know.
    customers = np.unique(occasions.customer)
    changed = occasions_of(
        np.concatenate([occasions.customer[before], customers]),
        np.concatenate([occasions.age[before], np.ones(customers.size, np.int64)]),
    )
    found = evaluate(changed)
    assert found.windows == of_cdnow().windows
    for name, judged in found.models.items():
        was = of_cdnow().models[name].everybody
        now = judged.everybody
        assert now.bias is not None
        assert was.bias is not None
        # Expected less bought: only what was bought has changed.
        assert now.bias + now.bought / now.customers == pytest.approx(was.bias + was.bought / was.customers, rel=1e-9)
