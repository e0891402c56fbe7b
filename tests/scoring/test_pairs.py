"""Rows that are alike are found together, however few or many numbers there could be."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from regulars_scoring.adapters.engine.pairs import distinct_pairs, distinct_rows
from regulars_scoring.adapters.engine.population import Ints
from regulars_scoring.adapters.engine.slices import ROWS_AT_ONCE, by_slices

# Small numbers share their cells of a table; with the large ones it would be longer than the rows.
small, large = st.integers(0, 3), st.integers(0, 2**20)
rows = st.one_of(
    st.lists(st.tuples(small, small, small), min_size=1, max_size=60),
    st.lists(st.tuples(large, large, large), min_size=1, max_size=20),
)


def columns_of(rows: list[tuple[int, int, int]]) -> list[Ints]:
    return [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]


@given(rows)
def test_every_row_is_counted_with_those_like_it(rows: list[tuple[int, int, int]]) -> None:
    *found, counts = distinct_rows(*columns_of(rows))
    alike = dict(zip(zip(*(column.tolist() for column in found), strict=True), counts.tolist(), strict=True))
    assert alike == Counter(rows)
    assert list(alike) == sorted(alike)


@given(rows)
def test_every_row_finds_its_pair(rows: list[tuple[int, int, int]]) -> None:
    first, second, _ = columns_of(rows)
    found_first, found_second, places = distinct_pairs(first, second)
    assert (found_first[places] == first).all() and (found_second[places] == second).all()
    pairs = list(zip(found_first.tolist(), found_second.tolist(), strict=True))
    assert pairs == sorted(set(pairs))


def test_what_is_reckoned_in_slices_is_what_is_reckoned_at_once() -> None:
    column = np.arange(2 * ROWS_AT_ONCE + 3, dtype=np.int64)
    assert (by_slices(lambda some, more: np.sqrt(some) + more, column, column) == np.sqrt(column) + column).all()
