"""Which model serves: the best of the sound ones, a baseline where none is, and never by chance alone."""

from __future__ import annotations

import pytest

from regulars_scoring.domain.choice import FEWEST_COMPARED, Candidate, Choice, choose
from regulars_scoring.domain.refusals import FitFailed

MANY = FEWEST_COMPARED


def candidates(
    mbg: float | None = 1.60,
    pareto: float | None = 1.55,
    own: float | None = 1.70,
    recency: float | None = 1.75,
    mean: float | None = 2.0,
    degenerate: tuple[str, ...] = (),
    failed: tuple[str, ...] = (),
) -> list[Candidate]:
    """All five, with their losses; some with a degenerate fit, some with none."""
    losses = {"mbg_nbd": mbg, "pareto_nbd": pareto}
    models = [
        Candidate(
            name,  # type: ignore[arg-type]
            False,
            loss,
            ("no_drop_out",) if name in degenerate else (),
            "it did not converge" if name in failed else None,
        )
        for name, loss in losses.items()
    ]
    return [
        *models,
        Candidate("own_rate", True, own),
        Candidate("recency", True, recency),
        Candidate("population_mean", True, mean),
    ]


def test_the_model_that_foretold_best_serves() -> None:
    assert choose("auto", candidates(), MANY) == Choice("auto", "pareto_nbd", "evaluation")


def test_of_two_as_good_the_first_serves_whatever_the_last_digit() -> None:
    assert choose("auto", candidates(mbg=1.565), MANY).served == "mbg_nbd"  # 1.55 and 1 % are 1.5655


def test_a_baseline_that_foretells_better_serves() -> None:
    assert choose("auto", candidates(own=1.4), MANY) == Choice("auto", "own_rate", "evaluation")


def test_with_few_outcomes_the_first_sound_model_serves() -> None:
    assert choose("auto", candidates(own=1.4), MANY - 1) == Choice("auto", "mbg_nbd", "too_few_to_compare")
    assert choose("auto", candidates(degenerate=("mbg_nbd",)), 0).served == "pareto_nbd"


def test_a_degenerate_model_leaves_its_place_to_the_next() -> None:
    assert choose("auto", candidates(degenerate=("pareto_nbd",)), MANY).served == "mbg_nbd"


@pytest.mark.parametrize("kind", ["degenerate", "failed"])
def test_without_a_sound_model_the_best_baseline_serves(kind: str) -> None:
    both = ("mbg_nbd", "pareto_nbd")
    without = candidates(recency=1.5, degenerate=both) if kind == "degenerate" else candidates(recency=1.5, failed=both)
    assert choose("auto", without, MANY) == Choice("auto", "recency", "degenerate")
    assert choose("auto", without, 3).served == "own_rate"


def test_what_is_asked_for_serves_though_another_did_better() -> None:
    assert choose("mbg_nbd", candidates(), MANY) == Choice("mbg_nbd", "mbg_nbd", "asked")
    assert choose("population_mean", candidates(), 0) == Choice("population_mean", "population_mean", "asked")


def test_what_is_asked_for_does_not_serve_when_it_is_degenerate() -> None:
    found = choose("pareto_nbd", candidates(degenerate=("pareto_nbd",)), MANY)
    assert found == Choice("pareto_nbd", "own_rate", "degenerate")


def test_what_is_asked_for_and_has_no_fit_is_refused() -> None:
    with pytest.raises(FitFailed, match="did not converge"):
        choose("mbg_nbd", candidates(failed=("mbg_nbd",)), MANY)
    with pytest.raises(FitFailed, match="too short"):
        choose("recency", candidates()[:3], MANY)
