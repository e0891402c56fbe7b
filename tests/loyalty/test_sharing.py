"""Whole points shared over unequal lines, by largest remainder."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from regulars_loyalty.domain.sharing import share

weights = st.lists(st.integers(0, 10**15), min_size=1, max_size=12)


def test_equal_lines_share_equally() -> None:
    assert share(15, [333, 333, 334]) == [5, 5, 5]


def test_a_tie_goes_to_the_lower_line() -> None:
    assert share(1, [50, 50, 50]) == [1, 0, 0]
    assert share(2, [50, 50, 50]) == [1, 1, 0]


def test_the_largest_remainder_goes_first() -> None:
    # 10 x 1/6 = 1.67, 10 x 2/6 = 3.33, 10 x 3/6 = 5.00
    assert share(10, [1, 2, 3]) == [2, 3, 5]


def test_where_nothing_weighs_anything_the_first_line_takes_all() -> None:
    assert share(7, [0, 0]) == [7, 0]
    assert share(7, []) == []


@given(st.integers(0, 100_000), weights)
def test_parts_add_up_and_are_within_one_of_their_quota(total: int, weighed: list[int]) -> None:
    parts = share(total, weighed)
    assert sum(parts) == total
    if all_of_it := sum(Fraction(weight) for weight in weighed):
        quotas = [total * Fraction(weight) / all_of_it for weight in weighed]
        assert all(0 <= part - floor(quota) <= 1 for part, quota in zip(parts, quotas, strict=True))


@given(st.integers(0, 100_000), weights)
def test_who_weighs_nothing_gets_nothing_while_others_do(total: int, weighed: list[int]) -> None:
    if any(weighed):
        assert all(part == 0 for part, weight in zip(share(total, weighed), weighed, strict=True) if weight == 0)
