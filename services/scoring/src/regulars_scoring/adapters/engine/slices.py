"""Long columns a piece at a time: what is made on the way stays in the processor's cache, and takes no memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from regulars_scoring.adapters.engine.population import Floats, Ints

ROWS_AT_ONCE = 16_384


def slices_of(rows: int) -> Iterator[slice]:
    for start in range(0, rows, ROWS_AT_ONCE):
        yield slice(start, start + ROWS_AT_ONCE)


def by_slices(formula: Callable[..., Floats], *columns: Ints | Floats) -> Floats:
    """What the formula says of each row of the columns, of which there is at least one."""
    result = np.empty(columns[0].size)
    for rows in slices_of(result.size):
        result[rows] = formula(*(column[rows] for column in columns))
    return result
