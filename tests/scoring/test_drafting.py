"""What a run drafts for everybody is what the live formulas say of each, to the last published figure."""

from __future__ import annotations

import json
from functools import cache
from uuid import UUID

import numpy as np
import pytest

from regulars_scoring.adapters.db.models import document_of, model_in
from regulars_scoring.adapters.engine.drafting import Asked, Drafts, draft
from regulars_scoring.adapters.engine.population import population_of
from regulars_scoring.domain.mbg_nbd import MbgNbd
from regulars_scoring.domain.rfm import Cell
from regulars_scoring.domain.scoring import Bands, Figures, figures_of, score
from scoring import cdnow
from scoring.test_fitting import simulated

RUN = UUID("5c0e0000-0000-4000-8000-000000000001")
BANDS = Bands()


@cache
def of_cdnow() -> Drafts:
    return draft(cdnow.population(), Asked(RUN, cdnow.CALIBRATION_END, 90, "USD"), BANDS)


def test_each_customers_draft_is_their_live_score() -> None:
    drafts = of_cdnow()
    model = model_in(json.loads(json.dumps(document_of(drafts.model))))
    for buyer, row in zip(cdnow.buyers(), drafts.rows(), strict=True):
        live = score(buyer.state, model, cdnow.CALIBRATION_END)
        assert live is not None
        recency, frequency, monetary, *figures = row
        drafted = Figures(Cell(recency, frequency, monetary), *figures)  # type: ignore[arg-type]
        assert drafted == figures_of(live, BANDS)


def test_a_model_is_the_same_after_it_was_stored() -> None:
    model = of_cdnow().model
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


def test_a_degenerate_fit_is_named_in_the_report_and_serves() -> None:
    x, t_x, T = simulated(MbgNbd(1.5, 60.0, 1e-6, 1.0), 1_500, seed=5)
    spent = 1_000 * x
    people = population_of(x, t_x, T, spent, spent + 1_000)
    drafts = draft(people, Asked(RUN, cdnow.CALIBRATION_END, 90, "EUR"), BANDS)
    buying = drafts.report["buying"]
    assert isinstance(buying, dict)
    assert (buying["is_degenerate"], buying["degeneracies"]) == (True, ["no_drop_out"])
    assert (drafts.alive_hundredths >= 99).all()
    assert (drafts.clv_major >= 0).all()


def test_a_currency_without_cents_is_counted_in_whole_units() -> None:
    yen = draft(cdnow.population(), Asked(RUN, cdnow.CALIBRATION_END, 90, "JPY"), BANDS)
    assert yen.model.spending.v == pytest.approx(100 * of_cdnow().model.spending.v, rel=1e-3)
    assert yen.model.spending.q == pytest.approx(of_cdnow().model.spending.q, rel=1e-3)
