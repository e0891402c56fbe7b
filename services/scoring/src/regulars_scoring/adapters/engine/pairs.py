"""Distinct rows of small whole numbers: what is dear to reckon is reckoned once for each, not for each customer."""

from __future__ import annotations

import numpy as np

from regulars_scoring.adapters.engine.population import Ints

_BITS = 21
"""Days and occasions stay below 2**21, so that three of them are one integer, which is quick to sort."""
_CELLS_PER_ROW = 4
"""A table of all pairs there could be is quicker than sorting as long as it is not much longer than the rows."""


def distinct_rows(
    first: Ints, second: Ints, third: Ints, customers: Ints | None = None
) -> tuple[Ints, Ints, Ints, Ints]:
    """The three numbers of each distinct row, in their order, and how many customers it stands for. All 0 or more.

    Each row is one customer, or as many as `customers` says.
    """
    keys = first << (2 * _BITS)
    keys |= second << _BITS
    keys |= third
    if customers is None:
        keys.sort()
    else:
        order = np.argsort(keys)
        keys, customers = keys[order], customers[order]
    begins = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    counts = np.diff(begins, append=keys.size) if customers is None else np.add.reduceat(customers, begins)
    keys, mask = keys[begins], (1 << _BITS) - 1
    return keys >> (2 * _BITS), (keys >> _BITS) & mask, keys & mask, counts


def distinct_pairs(first: Ints, second: Ints) -> tuple[Ints, Ints, Ints]:
    """The first and the second of each distinct pair, and for each row the place of its pair. All 0 or more."""
    width = int(second.max(initial=0)) + 1
    keys = first * width + second
    size = (int(first.max(initial=0)) + 1) * width
    if size <= _CELLS_PER_ROW * keys.size:
        distinct, places = _by_table(keys, size)
    else:
        distinct, places = np.unique(keys, return_inverse=True)
    return distinct // width, distinct % width, places


def _by_table(keys: Ints, size: int) -> tuple[Ints, Ints]:
    """As `np.unique` with its inverse, and quicker: nothing is sorted where every key has a cell of its own."""
    is_there = np.zeros(size, np.bool_)
    is_there[keys] = True
    distinct = np.flatnonzero(is_there)
    place = np.empty(size, np.int64)
    place[distinct] = np.arange(distinct.size)
    return distinct, place[keys]
