"""Everybody's days, so that the shop can be looked at as it was at the end of any of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars_scoring.adapters.engine.occasions import Occasions
from regulars_scoring.adapters.engine.population import Ints


@dataclass(frozen=True, slots=True)
class Ledger:
    """One row a day of a customer: their row in the population, the day's age in days before the day of the run, its
    net minor units, and whether it was an occasion. By customer, each of whom has an occasion, the oldest day first.

    `occasions` are the rows that are.
    """

    customer: Ints
    age: Ints
    net_minor: Ints
    is_occasion: NDArray[np.bool_]
    occasions: Occasions

    @property
    def customers(self) -> int:
        """How many there are."""
        return int(self.customer[-1]) + 1 if self.customer.size else 0


def ledger_of(customer: Ints, age: Ints, net_minor: Ints, is_occasion: NDArray[np.bool_]) -> Ledger:
    """From rows in their order."""
    return Ledger(customer, age, net_minor, is_occasion, Occasions(customer[is_occasion], age[is_occasion]))
