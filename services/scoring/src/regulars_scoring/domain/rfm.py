"""RFM: recency, frequency and monetary value as scores from 1 to 5."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from regulars_scoring.domain.grid import SCORES
from regulars_scoring.domain.state import Entry

Cuts = tuple[int | None, ...]
"""The least value that scores 2, 3, 4, 5; None where no value does. Ascending: more is better."""


@dataclass(frozen=True, slots=True)
class NestedCuts:
    """Cuts among those alike on the axes before: of frequency by recency's score, of monetary value by both scores."""

    frequency: tuple[Cuts, ...]
    monetary: tuple[tuple[Cuts, ...], ...]


@dataclass(frozen=True, slots=True)
class RfmCuts:
    """Cuts of the negated days since the last occasion, of occasions, and of net minor units, among all customers.

    With `nested` these hold instead for the second and third axis.
    """

    recency: Cuts
    frequency: Cuts
    monetary: Cuts
    nested: NestedCuts | None = None

    def of_frequency(self, recency: int) -> Cuts:
        return self.frequency if self.nested is None else self.nested.frequency[recency - 1]

    def of_monetary(self, recency: int, frequency: int) -> Cuts:
        return self.monetary if self.nested is None else self.nested.monetary[recency - 1][frequency - 1]


@dataclass(frozen=True, slots=True)
class Cell:
    """Three scores, 5 the best."""

    recency: int
    frequency: int
    monetary: int


@dataclass(frozen=True, slots=True)
class Recent:
    """What frequency and monetary value count where RFM looks at a window: occasions and net minor units within it."""

    occasions: int
    net_minor: int


def recent_of(ledger: Mapping[date, Entry], as_of: date, window_days: int) -> Recent:
    """Of the window's days, the last of which is `as_of`."""
    begins = as_of - timedelta(days=window_days)
    inside = [entry for day, entry in ledger.items() if begins < day <= as_of]
    return Recent(sum(entry.is_occasion for entry in inside), sum(entry.net_minor for entry in inside))


def cuts_of(values: Iterable[int]) -> Cuts:
    """Where the scores change, for min(5, 1 + floor(5 (below + half of the equal) / n)): equal values stay together."""
    return cuts_of_counts(Counter(values))


def cuts_of_counts(counts: Mapping[int, int]) -> Cuts:
    """The same, of how many customers have each value."""
    customers = sum(counts.values())
    steps, below = list[tuple[int, int]](), 0
    for value, equal in sorted(counts.items()):
        steps.append((min(SCORES, 1 + SCORES * (2 * below + equal) // (2 * customers)), value))
        below += equal
    return cuts_between(steps)


def cuts_between(steps: Iterable[tuple[int, int]]) -> Cuts:
    """From scores and values that have them, both ascending; of each score at least its lowest value."""
    cuts: list[int | None] = [None] * (SCORES - 1)
    for score, value in steps:
        for place in range(score - 1):
            cuts[place] = value if cuts[place] is None else cuts[place]
    return tuple(cuts)


def score_by(cuts: Cuts, value: int) -> int:
    """1 to 5. A value that was not among those the cuts were made of is placed with the next lower one."""
    return 1 + sum(cut is not None and value >= cut for cut in cuts)


def cell_of(cuts: RfmCuts, days_since: int, occasions: int, total_minor: int) -> Cell:
    recency = score_by(cuts.recency, -days_since)
    frequency = score_by(cuts.of_frequency(recency), occasions)
    return Cell(recency, frequency, score_by(cuts.of_monetary(recency, frequency), total_minor))
