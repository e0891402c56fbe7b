"""What a run drafts for everybody is what the live formulas say of each, to the last published figure."""

from __future__ import annotations

import json
from functools import cache
from uuid import UUID

import numpy as np
import pytest

from regulars_scoring.adapters.db.models import document_of, model_in
from regulars_scoring.adapters.engine.drafting import Asked as Wanted
from regulars_scoring.adapters.engine.drafting import Drafts, draft
from regulars_scoring.adapters.engine.population import population_of
from regulars_scoring.domain.choice import Asked, ModelName
from regulars_scoring.domain.mbg_nbd import MbgNbd
from regulars_scoring.domain.rfm import Cell
from regulars_scoring.domain.scoring import Bands, Figures, figures_of, residual_value, score
from regulars_scoring.domain.state import BuyingState
from scoring import cdnow
from scoring.test_fitting import simulated

RUN = UUID("5c0e0000-0000-4000-8000-000000000001")
BANDS = Bands()


SERVING: tuple[ModelName, ...] = ("mbg_nbd", "pareto_nbd", "own_rate", "recency", "population_mean")


@cache
def of_cdnow(model: Asked = "auto") -> Drafts:
    wanted = Wanted(RUN, cdnow.CALIBRATION_END, 90, "USD", model)
    return draft(cdnow.population(), wanted, BANDS, cdnow.occasions())


@pytest.mark.parametrize("name", SERVING)
def test_each_customers_draft_is_their_live_score(name: ModelName) -> None:
    drafts = of_cdnow(name)
    assert drafts.model.name == name
    model = model_in(json.loads(json.dumps(document_of(drafts.model))))
    for buyer, row in zip(cdnow.buyers(), drafts.rows(), strict=True):
        live = score(buyer.state, model, cdnow.CALIBRATION_END)
        assert live is not None
        recency, frequency, monetary, *figures = row
        drafted = Figures(Cell(recency, frequency, monetary), *figures)  # type: ignore[arg-type]
        assert drafted == figures_of(live, BANDS)


@pytest.mark.parametrize("name", SERVING)
def test_what_is_still_to_come_is_worth_more_than_a_years(name: ModelName) -> None:
    model, buyer = of_cdnow(name).model, cdnow.buyers()[0]
    live = score(buyer.state, model, cdnow.CALIBRATION_END)
    residual = residual_value(buyer.state, model, cdnow.CALIBRATION_END)
    assert live is not None
    if name in ("mbg_nbd", "pareto_nbd"):
        assert residual is not None
        assert live.clv < residual < 10 * live.clv
    else:
        assert residual is None
    assert residual_value(BuyingState(), model, cdnow.CALIBRATION_END) is None


@pytest.mark.parametrize("name", SERVING)
def test_a_model_is_the_same_after_it_was_stored(name: ModelName) -> None:
    model = of_cdnow(name).model
    assert model_in(json.loads(json.dumps(document_of(model)))) == model


def test_each_score_and_each_decile_has_its_share_of_the_customers() -> None:
    drafts = of_cdnow()
    assert np.bincount(drafts.decile, minlength=11)[1:].tolist() == pytest.approx([235.7] * 10, abs=25)
    # 1,411 of 2,357 came once: half of them come to 0.299, and five times that is 1.5, so they score 2.
    assert np.bincount(drafts.frequency, minlength=6)[1:3].tolist() == [0, 1411]
    assert sum(drafts.report["rfm_segments"].values()) == 2357  # type: ignore[attr-defined]


def test_the_best_tenth_brings_more_than_a_tenth() -> None:
    share = of_cdnow().report["top_decile_revenue_share"]
    assert isinstance(share, float)
    assert 0.3 < share < 0.6


def test_the_report_is_json() -> None:
    assert json.loads(json.dumps(of_cdnow().report)) == of_cdnow().report


@pytest.mark.parametrize("asked", ["auto", "mbg_nbd"])
def test_where_nobody_leaves_the_models_are_named_degenerate_and_a_baseline_serves(asked: Asked) -> None:
    x, t_x, T = simulated(MbgNbd(1.5, 60.0, 1e-6, 1.0), 1_500, seed=5)
    spent = 1_000 * x
    people = population_of(x, t_x, T, spent, spent + 1_000)
    drafts = draft(people, Wanted(RUN, cdnow.CALIBRATION_END, 90, "EUR", asked), BANDS)
    assert drafts.model.name == "own_rate"
    assert drafts.report["choice"] == {"asked": asked, "served": "own_rate", "reason": "degenerate"}
    fits = drafts.report["fits"]
    assert isinstance(fits, dict)
    assert fits["mbg_nbd"]["degeneracies"] == ["no_drop_out"]
    assert [fits[name]["is_degenerate"] for name in ("mbg_nbd", "bg_nbd", "pareto_nbd")] == [True] * 3
    assert [fits[name]["standard_errors"] for name in ("mbg_nbd", "bg_nbd", "pareto_nbd")] == [None] * 3
    assert (drafts.clv_major >= 0).all()


def test_a_currency_without_cents_is_counted_in_whole_units() -> None:
    yen = draft(cdnow.population(), Wanted(RUN, cdnow.CALIBRATION_END, 90, "JPY"), BANDS)
    assert yen.model.spending.v == pytest.approx(100 * of_cdnow().model.spending.v, rel=1e-3)
    assert yen.model.spending.q == pytest.approx(of_cdnow().model.spending.q, rel=1e-3)
