"""RFM: recency, frequency and monetary value as scores from 1 to 5, and the segments that cells belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SCORES = 5

Cuts = tuple[int | None, ...]
"""The least value that scores 2, 3, 4, 5; None where no value does. Ascending: more is better."""


@dataclass(frozen=True, slots=True)
class RfmCuts:
    """Cuts of the negated days since the last occasion, of occasions, and of total net minor units."""

    recency: Cuts
    frequency: Cuts
    monetary: Cuts


@dataclass(frozen=True, slots=True)
class Cell:
    """Three scores, 5 the best."""

    recency: int
    frequency: int
    monetary: int


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
    return Cell(
        score_by(cuts.recency, -days_since),
        score_by(cuts.frequency, occasions),
        score_by(cuts.monetary, total_minor),
    )


# Recency's scores, frequency's scores, name: the first that fits holds.
_GRID: tuple[tuple[str, str, str], ...] = (
    ("12", "12", "hibernating"),
    ("12", "34", "at risk"),
    ("12", "5", "can't lose"),
    ("3", "12", "about to sleep"),
    ("3", "3", "need attention"),
    ("34", "45", "loyal"),
    ("4", "1", "promising"),
    ("5", "1", "new"),
    ("45", "23", "potential loyalists"),
    ("5", "45", "champions"),
)

SEGMENTS: tuple[str, ...] = tuple(name for _, _, name in _GRID)


def segment_of(recency: int, frequency: int) -> str:
    """The segment that a cell belongs to, whatever its monetary score; every cell has one."""
    return next(name for r, f, name in _GRID if str(recency) in r and str(frequency) in f)
