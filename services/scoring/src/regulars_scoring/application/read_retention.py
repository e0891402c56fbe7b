from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from regulars_scoring.application.ports import Reads
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.refusals import NoModelYet
from regulars_scoring.domain.retention import (
    YEAR_DAYS,
    Kept,
    KeptReport,
    ObservedReport,
    RetentionReport,
    Worth,
    Year,
    worth_of,
)
from regulars_scoring.domain.runs import Report
from regulars_scoring.domain.segment_profit import Segment, by_segment, segment_of, total


@dataclass(frozen=True, slots=True)
class Retention:
    model: Model
    observed: ObservedReport | None
    everybody: Worth
    segments: Sequence[Worth]


async def read_retention(rise_points: int, begin: Reads) -> Retention:
    """What customers are worth at the retention that the last run expects, and what so many points more are worth.

    Margins are those of the year until the run's day, by the segments of today. Raises `NoModelYet`.
    """
    async with begin() as unit:
        model = await unit.model()
        run = None if model is None else await unit.runs.find(model.run_id)
        report = _retention_in({} if run is None else run.report or {})
        if model is None or report is None:
            raise NoModelYet("no run has looked at retention yet; POST /v1/scoring/runs starts one")
        first = model.as_of - timedelta(days=YEAR_DAYS - 1)
        profits = by_segment(await unit.money.by_cell(model.currency, first, model.as_of), model.grid)
        buyers: Counter[Segment] = Counter()
        for recency, frequency, customers in await unit.money.buyers(first, model.as_of):
            buyers[segment_of(model.grid, recency, frequency)] += customers
    everybody = Year(total(profits.values()), buyers.total())
    segments = report["segments"]
    return Retention(
        model=model,
        observed=report["observed"],
        everybody=worth_of(_kept(None, report["everybody"]), everybody, everybody, rise_points),
        segments=[
            worth_of(_kept(name, segments[name]), Year(profits[name], buyers[name]), everybody, rise_points)
            for name in model.grid.segments
            if name in segments
        ],
    )


def _retention_in(report: Report) -> RetentionReport | None:
    """None in reports of earlier versions."""
    part = report.get("retention")
    return cast(RetentionReport, part) if isinstance(part, dict) else None


def _kept(segment: str | None, told: KeptReport) -> Kept:
    return Kept(segment, told["customers"], told["retention"])
