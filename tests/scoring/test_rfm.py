"""Places among all customers: scores, segments, deciles, bands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_scoring.domain.grid import DEFAULT_GRID
from regulars_scoring.domain.model import decile_bounds_of, decile_of
from regulars_scoring.domain.rfm import cuts_of, score_by
from regulars_scoring.domain.scoring import Bands, hundredths

values = st.lists(st.integers(-20, 20), min_size=1, max_size=60)


def rank(values: list[int], value: int, parts: int) -> int:
    """min(parts, 1 + floor(parts * (below + half of the equal) / n)), as the definition says it."""
    below, equal = sum(each < value for each in values), values.count(value)
    return min(parts, 1 + parts * (2 * below + equal) // (2 * len(values)))


@given(values)
@settings(max_examples=100)
def test_scores_by_cuts_are_scores_by_rank(customers: list[int]) -> None:
    cuts = cuts_of(customers)
    assert all(score_by(cuts, value) == rank(customers, value, 5) for value in customers)


@given(values)
@settings(max_examples=100)
def test_deciles_by_bounds_are_deciles_by_rank(customers: list[int]) -> None:
    worth = [abs(value) + 0.5 for value in customers]
    bounds = decile_bounds_of(worth)
    turned = [-value for value in customers]
    for value in customers:
        alike = [-(abs(each) + 0.5) for each in customers]
        assert decile_of(bounds, abs(value) + 0.5) == rank(
            [int(2 * each) for each in alike], int(-2 * abs(value) - 1), 10
        )
    assert len(turned) == len(worth)


def test_ten_customers_are_two_on_each_score() -> None:
    cuts = cuts_of(range(1, 11))
    assert [score_by(cuts, value) for value in range(1, 11)] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_equal_customers_stay_together() -> None:
    # Seven of ten came once: half of seven are below or equal to each of them, 5 * 3.5 / 10 = 1.75, so score 2.
    cuts = cuts_of([1] * 7 + [2, 3, 9])
    assert [score_by(cuts, value) for value in (1, 2, 3, 9)] == [2, 4, 5, 5]


def test_the_best_tenth_is_the_first_decile() -> None:
    bounds = decile_bounds_of([float(value) for value in range(1, 21)])
    assert [decile_of(bounds, value) for value in (20.0, 19.0, 18.0, 1.0, 0.0, 1e9)] == [1, 1, 2, 10, 10, 1]


def test_a_value_computed_elsewhere_to_its_last_bit_changes_no_decile() -> None:
    bounds = decile_bounds_of([float(value) for value in range(1, 21)])
    assert [decile_of(bounds, value * (1 - 1e-15)) for value in (19.0, 17.0)] == [1, 2]
    alike = decile_bounds_of([7.0] * 5)
    assert decile_of(alike, 7.0 * (1 - 1e-15)) == decile_of(alike, 7.0) == 6


def test_every_cell_has_its_segment() -> None:
    found = [[DEFAULT_GRID.segment_of(recency, frequency) for frequency in range(1, 6)] for recency in range(1, 6)]
    gone = ["hibernating", "hibernating", "at risk", "at risk", "can't lose"]
    assert found == [
        gone,
        gone,
        ["about to sleep", "about to sleep", "need attention", "loyal", "loyal"],
        ["promising", "potential loyalists", "potential loyalists", "loyal", "loyal"],
        ["new", "potential loyalists", "potential loyalists", "champions", "champions"],
    ]


@pytest.mark.parametrize(("churn", "band"), [(0, "low"), (29, "low"), (30, "medium"), (59, "medium"), (60, "high")])
def test_a_band_begins_at_its_figure(churn: int, band: str) -> None:
    assert Bands().of(churn) == band


def test_probabilities_are_published_to_the_hundredth() -> None:
    assert [hundredths(number) for number in (0, 7, 42, 100)] == ["0.00", "0.07", "0.42", "1.00"]
