"""Every occasion of every customer, so that the past can be looked at as it was on an earlier day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regulars_scoring.adapters.engine.population import Ints


@dataclass(frozen=True, slots=True)
class Occasions:
    """One row an occasion: its customer's row in the population, and its age in days before the day of the run.

    Sorted by customer, the oldest first.
    """

    customer: Ints
    age: Ints

    @property
    def span_days(self) -> int:
        """How long ago the first of all was."""
        return int(self.age.max()) if self.age.size else 0


@dataclass(frozen=True, slots=True)
class Past:
    """The customers there were at the end of an earlier day, as columns; `customer` is their row today."""

    customer: Ints
    x: Ints
    t_x: Ints
    T: Ints

    @property
    def repeaters(self) -> int:
        return int((self.x > 0).sum())


def occasions_of(customer: Ints, age: Ints) -> Occasions:
    """From rows in any order."""
    order = np.lexsort((-age, customer))
    return Occasions(customer[order], age[order])


NO_OCCASIONS = Occasions(np.empty(0, np.int64), np.empty(0, np.int64))
"""Where only states are known: nothing can be evaluated, and of the baselines there is the own rate."""


def sampled(occasions: Occasions, customers: int, at_most: int) -> Occasions:
    """The occasions of every k-th customer, such that there are no more than `at_most`; always the same ones."""
    stride = -(-customers // at_most)
    if stride <= 1:
        return occasions
    kept = occasions.customer % stride == 0
    return Occasions(occasions.customer[kept], occasions.age[kept])


def past_of(occasions: Occasions, days_ago: int) -> Past:
    """The customers as they were so many days before the run's day."""
    starts = first_rows(occasions.customer)
    # The oldest come first, so that what was known then are the first ones of each customer.
    known = np.add.reduceat(occasions.age >= days_ago, starts, dtype=np.int64) if starts.size else starts
    was_there = known > 0
    starts, x = starts[was_there], known[was_there] - 1
    oldest, newest = occasions.age[starts], occasions.age[starts + x]
    return Past(occasions.customer[starts], x, oldest - newest, oldest - days_ago)


def first_rows(customer: Ints) -> Ints:
    """Of each customer the first row, where rows are sorted by customer."""
    return np.flatnonzero(np.append(customer.size > 0, customer[1:] != customer[:-1])[: customer.size])


def bought_after(occasions: Occasions, past: Past, days_ago: int, window_days: int) -> Ints:
    """How often each of them came in the days after that one."""
    inside = (occasions.age < days_ago) & (occasions.age >= days_ago - window_days)
    size = int(occasions.customer[-1]) + 1 if occasions.customer.size else 0
    return np.bincount(occasions.customer[inside], minlength=size)[past.customer].astype(np.int64)
