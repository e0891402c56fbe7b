"""Figures of all days, from a few of them; and fits of everybody that begin with some."""

from __future__ import annotations

import numpy as np
import pytest

from regulars_scoring.adapters.engine import fitting, kernels
from regulars_scoring.adapters.engine.between_days import FEWEST_DAYS, NODES, BetweenDays
from regulars_scoring.adapters.engine.fitting import fit_buying
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.domain.bg_nbd import BgNbd
from regulars_scoring.domain.buying import Fitted
from regulars_scoring.domain.mbg_nbd import MbgNbd
from regulars_scoring.domain.model import BG_NBD, MBG_NBD, PARETO_NBD
from regulars_scoring.domain.pareto_nbd import ParetoNbd
from scoring import cdnow

MODELS = (
    MbgNbd(0.55, 46.0, 0.87, 1.53),
    MbgNbd(0.05, 0.05, 3.0, 7.0),
    BgNbd(5.0, 2.0, 0.01, 2.0),
    ParetoNbd(0.55, 10.0, 0.6, 12.0),
    ParetoNbd(0.3, 100.0, 0.2, 0.1),
)


def pairs_of(days: dict[int, int]) -> tuple[Ints, Ints]:
    """Each x with so many days, from the first on which it is possible."""
    x = np.repeat(list(days), list(days.values()))
    return x, np.concatenate([np.arange(first, first + count) for first, count in days.items()])


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("horizon", [30.0, 365.0])
def test_days_in_between_are_as_if_each_were_reckoned(model: Fitted, horizon: float) -> None:
    x, T = pairs_of({0: 730, 1: FEWEST_DAYS, 2: FEWEST_DAYS - 1, 60: 600, 300: 1})
    between = BetweenDays(x, T, kernels.nearest_of(model))
    for formula in (kernels.expected_if_alive, kernels.buys_if_alive):
        found = between(lambda x, T, formula=formula: formula(model, x, T, horizon))  # type: ignore[misc]
        assert found == pytest.approx(formula(model, x, T, horizon), rel=1e-11)


def test_what_is_smooth_is_reckoned_at_few_days_and_what_is_not_at_all() -> None:
    x, T = pairs_of({0: 700, 1: 500, 3: 10})
    asked: list[int] = []

    def smooth(x: Ints, T: Floats) -> Floats:
        asked.append(x.size)
        return np.asarray(1.0 / (3.0 + x + T))

    def bent(x: Ints, T: Floats) -> Floats:
        asked.append(x.size)
        return np.asarray(1.0 + np.where(x == 1, np.abs(T - 77.5), 0.0))

    between = BetweenDays(x, T, 3.0)
    assert between(smooth) == pytest.approx(smooth(x, T.astype(np.float64)), rel=1e-13)
    assert asked[0] == 2 * NODES + 10
    asked.clear()
    assert (between(bent) == bent(x, T.astype(np.float64))).all()
    assert asked[:2] == [2 * NODES + 10, 500]


def test_nobody_is_no_trouble() -> None:
    nobody = np.empty(0, np.int64)
    assert BetweenDays(nobody, nobody, 1.0)(lambda x, T: 1.0 / (1.0 + T)).size == 0


@pytest.mark.parametrize("name", [MBG_NBD, BG_NBD, PARETO_NBD])
def test_a_fit_that_begins_with_some_ends_where_that_of_everybody_does(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = cdnow.population()
    whole = fit_buying(people.x, people.t_x, people.T, name)
    monkeypatch.setattr(fitting, "ROWS_TO_BEGIN_WITH", people.size // 4)
    begun = fit_buying(people.x, people.t_x, people.T, name)
    assert begun != whole
    assert begun.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-6)
    for letter in type(whole.model).__dataclass_fields__:
        assert getattr(begun.model, letter) == pytest.approx(getattr(whole.model, letter), rel=1e-5)
    assert begun.standard_errors == pytest.approx(whole.standard_errors, rel=1e-4)
