"""A customer's own cycle: how long they usually stay away, and whether they have stayed away for longer.

Overdue is who has been silent for longer than nine tenths of their own gaps between occasions were: the 90th
percentile by nearest rank, which is one of the gaps. Who has fewer than three gaps is measured by all gaps of all
customers of their segment in the last run; a segment without any, by those of everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal

FEWEST_GAPS = 3

LimitOf = Literal["customer", "segment", "everybody"]


@dataclass(frozen=True, slots=True)
class Cycles:
    """The 90th percentile of gaps in days, by segment (such as have any) and of everybody; None: nobody came twice."""

    of_segment: Mapping[str, int]
    of_everybody: int | None


NO_CYCLES = Cycles({}, None)


@dataclass(frozen=True, slots=True)
class OwnCycle:
    """Days since the last occasion, and the gap that they are held against."""

    silence_days: int
    limit_days: int
    limit_of: LimitOf

    @property
    def is_overdue(self) -> bool:
        return self.silence_days > self.limit_days


def rank_of_limit(gaps: int) -> int:
    """The place, from 0, of the 90th percentile among so many gaps in ascending order: the least that 90 % do not
    exceed.
    """
    return -(-9 * gaps // 10) - 1


def own_cycle_of(occasions: Sequence[date], segment: str, cycles: Cycles, as_of: date) -> OwnCycle | None:
    """Of a customer with these days of purchase, ascending and at least one; None where nobody ever came twice."""
    silence = max(0, (as_of - occasions[-1]).days)
    gaps = sorted((later - earlier).days for earlier, later in pairwise(occasions))
    if len(gaps) >= FEWEST_GAPS:
        return OwnCycle(silence, gaps[rank_of_limit(len(gaps))], "customer")
    if segment in cycles.of_segment:
        return OwnCycle(silence, cycles.of_segment[segment], "segment")
    return None if cycles.of_everybody is None else OwnCycle(silence, cycles.of_everybody, "everybody")
