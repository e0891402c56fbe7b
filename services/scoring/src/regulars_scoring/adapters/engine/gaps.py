"""How long customers stay away between two occasions: each by their own gaps, and the segments by all of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars_scoring.adapters.engine.counting import at_places
from regulars_scoring.adapters.engine.occasions import Occasions
from regulars_scoring.adapters.engine.population import Ints
from regulars_scoring.domain.cycle import FEWEST_GAPS, NO_CYCLES, Cycles, rank_of_limit

Short = NDArray[np.int32]
"""A shop has some ten million gaps, and days and customers fit into four bytes."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """One row a gap: its customer's row, its days, and the age of the occasion that ended it."""

    customer: Short
    days: Short
    age: Short


UNLIMITED = np.iinfo(np.int64).max
"""In the place of a limit where there is none."""


def gaps_of(occasions: Occasions) -> Gaps:
    """Sorted by customer, the oldest first."""
    is_gap = occasions.customer[1:] == occasions.customer[:-1]
    age = occasions.age[1:][is_gap]
    days = occasions.age[:-1][is_gap] - age
    customer = occasions.customer[1:][is_gap]
    return Gaps(customer.astype(np.int32), days.astype(np.int32), age.astype(np.int32))


def shortest_first(gaps: Gaps) -> Gaps:
    """Sorted by customer, the shortest first."""
    order = np.argsort(gaps.customer.astype(np.int64) << 32 | gaps.days)
    return Gaps(gaps.customer[order], gaps.days[order], gaps.age[order])


def own_limits(gaps: Gaps, customers: int, days_ago: int = 0) -> Ints:
    """The 90th percentile of each customer's own gaps that had ended so long ago; `UNLIMITED` of fewer than 3.

    The gaps are those of `shortest_first`.
    """
    known = gaps.age >= days_ago
    customer, days = gaps.customer[known], gaps.days[known]
    counts = np.bincount(customer, minlength=customers)
    starts = np.cumsum(counts) - counts
    limits = np.full(customers, UNLIMITED, np.int64)
    regular = np.flatnonzero(counts >= FEWEST_GAPS)
    limits[regular] = days[starts[regular] - (-9 * counts[regular] // 10) - 1]
    return limits


def cycles_of(gaps: Gaps, segments: Ints, names: Sequence[str]) -> Cycles:
    """The limits for who has few gaps of their own; `segments` are the customers', as places among the names."""
    of_gap = segments[gaps.customer]
    found = {name: _limit(gaps.days[of_gap == place]) for place, name in enumerate(names)}
    return Cycles({name: limit for name, limit in found.items() if limit is not None}, _limit(gaps.days))


def cycles_of_counts(segments: Sequence[str], days: Ints, gaps: Ints) -> Cycles:
    """The same, where so many gaps of customers of a segment have so many days."""
    if not gaps.size:
        return NO_CYCLES
    column = np.array(segments)
    found = {}
    for name in dict.fromkeys(segments):
        inside = column == name
        found[name] = _limit_of_counts(days[inside], gaps[inside])
    return Cycles(found, _limit_of_counts(days, gaps))


def _limit_of_counts(days: Ints, gaps: Ints) -> int:
    return int(at_places(days, gaps, np.array([rank_of_limit(int(gaps.sum()))]))[0])


def _limit(days: Short) -> int | None:
    rank = rank_of_limit(days.size)
    return int(np.partition(days, rank)[rank]) if days.size else None


def are_overdue(gaps: Gaps, silence_days: Ints, segments: Sequence[str], cycles: Cycles) -> NDArray[np.bool_]:
    """Who has been silent for longer than usual, as `domain.cycle.own_cycle_of` has it."""
    own = own_limits(shortest_first(gaps), silence_days.size)
    everybody = UNLIMITED if cycles.of_everybody is None else cycles.of_everybody
    others = np.array([cycles.of_segment.get(name, everybody) for name in segments], dtype=np.int64)
    return silence_days > np.where(own == UNLIMITED, others, own)
