"""Profit and loss of the segments, month by month: every figure adds up to the whole, to the last minor unit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from regulars_scoring.domain.grid import Grid
from regulars_scoring.domain.profit import Profit

Segment = str | None
"""None: customers without a score."""


@dataclass(frozen=True, slots=True)
class CellProfit:
    """What customers with these two scores, or (None) without any, brought in the month that begins with that day."""

    month: date
    recency: int | None
    frequency: int | None
    profit: Profit


def segment_of(grid: Grid, recency: int | None, frequency: int | None) -> Segment:
    return None if recency is None or frequency is None else grid.segment_of(recency, frequency)


def by_segment(cells: Iterable[CellProfit], grid: Grid) -> Mapping[Segment, Profit]:
    """Every segment, in the order of the grid, customers without a score last."""
    sums: dict[Segment, Profit] = {segment: Profit() for segment in (*grid.segments, None)}
    for cell in cells:
        sums[segment_of(grid, cell.recency, cell.frequency)] += cell.profit
    return sums


def by_month(cells: Iterable[CellProfit]) -> Mapping[date, Sequence[CellProfit]]:
    """The cells of each month in which anything happened, the first month first."""
    months: dict[date, list[CellProfit]] = defaultdict(list)
    for cell in cells:
        months[cell.month].append(cell)
    return dict(sorted(months.items()))


def total(profits: Iterable[Profit]) -> Profit:
    return sum(profits, Profit())
