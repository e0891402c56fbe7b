"""All customers with an occasion, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Population:
    """Columns of equal length, in the notation of `domain.state.Summary`: days, and minor units of the currency."""

    x: Ints
    t_x: Ints
    T: Ints
    repeat_minor: Ints
    total_minor: Ints

    @property
    def size(self) -> int:
        return int(self.x.size)

    @property
    def repeaters(self) -> int:
        """Customers with more than one occasion."""
        return int((self.x > 0).sum())


def population_of(x: Ints, t_x: Ints, T: Ints, repeat_minor: Ints, total_minor: Ints) -> Population:
    columns = (np.ascontiguousarray(column, dtype=np.int64) for column in (x, t_x, T, repeat_minor, total_minor))
    return Population(*columns)
