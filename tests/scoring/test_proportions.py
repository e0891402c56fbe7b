"""Intervals of shares and of their differences, as published."""

from __future__ import annotations

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars_scoring.domain.proportions import Share, compared, share_of, standardised

counts = st.integers(0, 300).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))
shares = counts.map(lambda pair: share_of(*pair))


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_wilsons_interval(count: int, of: int, low: float, high: float) -> None:
    share = share_of(count, of)
    assert (share.low, share.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10.
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_a_difference_has_newcombes_interval(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    comparison = compared(share_of(*one), share_of(*other))
    assert comparison.difference == pytest.approx(one[0] / one[1] - other[0] / other[1])
    assert (comparison.low, comparison.high) == pytest.approx((low, high), abs=5e-5)


def test_nobody_has_no_share_and_no_difference() -> None:
    assert share_of(0, 0) == Share(0, 0, None, None, None)
    comparison = compared(share_of(3, 5), share_of(0, 0))
    assert (comparison.difference, comparison.low, comparison.high) == (None, None, None)


@given(shares, shares)
def test_an_interval_holds_what_it_is_of_and_turns_round_with_it(now: Share, before: Share) -> None:
    comparison, turned = compared(now, before), compared(before, now)
    if comparison.difference is None or comparison.low is None or comparison.high is None:
        assert 0 in (now.of, before.of)
        return
    assert -1 - 1e-9 <= comparison.low <= comparison.difference <= comparison.high <= 1 + 1e-9
    assert turned.low is not None
    assert isclose(turned.low, -comparison.high, abs_tol=1e-12)


@given(st.lists(st.tuples(shares, shares), max_size=6))
def test_strata_that_are_alike_weigh_as_their_customers_do(strata: list[tuple[Share, Share]]) -> None:
    found = standardised(strata)
    both = [(now, before) for now, before in strata if now.of and before.of]
    assert found.left_out == sum(a.of + b.of for a, b in strata) - sum(a.of + b.of for a, b in both)
    if not both:
        assert found.difference is None
        return
    whole = sum(now.of + before.of for now, before in both)
    weighted = [(now.of + before.of) * (now.count / now.of - before.count / before.of) for now, before in both]
    assert found.difference is not None
    assert isclose(found.difference, sum(weighted) / whole, abs_tol=1e-9)
    assert found.low is not None and found.high is not None
    assert found.low <= found.difference <= found.high


def test_other_ages_alone_make_no_difference_once_they_are_equalised() -> None:
    # The young buy again by 3 of 10, the old by 8 of 10, in both windows; only their mixture changed.
    young_now, old_now = share_of(30, 100), share_of(8, 10)
    young_before, old_before = share_of(3, 10), share_of(80, 100)
    crude = compared(share_of(38, 110), share_of(83, 110))
    assert crude.difference == pytest.approx(-45 / 110)
    equalised = standardised([(young_now, young_before), (old_now, old_before)])
    # Both strata weigh 110 of 220: 0.5 x 0.3 + 0.5 x 0.8.
    assert [equalised.now, equalised.before] == pytest.approx([0.55, 0.55])
    assert equalised.difference == pytest.approx(0)
