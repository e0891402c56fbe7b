"""Profit and loss of the segments, and what keeping customers is worth."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query

from regulars_kit.http import Router
from regulars_kit.models import Day
from regulars_kit.validation import FieldError, InvalidRequest
from regulars_kit.values import currency_exponent
from regulars_scoring.adapters.http.context import Here, Reader
from regulars_scoring.adapters.http.profits import ProfitOut
from regulars_scoring.adapters.http.shape import Answer
from regulars_scoring.application.read_retention import Retention, read_retention
from regulars_scoring.application.read_segment_profit import read_segment_profit
from regulars_scoring.domain.grid import Grid
from regulars_scoring.domain.retention import ANNUAL_RATE, YEAR_DAYS, ObservedReport, Worth
from regulars_scoring.domain.segment_profit import CellProfit, by_month, by_segment, total

router = Router(tags=["scoring"])


LONGEST_DAYS = 3_660
RISE_POINTS = 5


class SegmentProfitOut(ProfitOut):
    segment: str | None
    """As published; null: customers without a score."""


class SegmentsOut(Answer):
    total: ProfitOut
    """Every figure is the sum of the segments'."""
    segments: list[SegmentProfitOut]

    @classmethod
    def of(cls, cells: Sequence[CellProfit], grid: Grid, **more: date) -> Self:
        profits = by_segment(cells, grid)
        segments = [
            SegmentProfitOut(segment=segment, **ProfitOut.of(profit).model_dump())
            for segment, profit in profits.items()
        ]
        return cls(total=ProfitOut.of(total(profits.values())), segments=segments, **more)


class MonthOut(SegmentsOut):
    month: date
    """Its first day."""


class SegmentProfitsOut(SegmentsOut):
    """Every figure is the sum of the months'. Months in which nothing happened are left out."""

    run_id: UUID
    currency: str
    first_day: date
    last_day: date
    months: list[MonthOut]


@router.get("/v1/scoring/segments/pnl")
async def get_segments_pnl(
    principal: Reader,
    here: Here,
    first: Annotated[Day | None, Query(alias="from")] = None,
    last: Annotated[Day | None, Query(alias="to")] = None,
) -> SegmentProfitsOut:
    """Revenue, margin, costs and profit of each segment, by calendar month and in all, both days included.

    `to`: today unless said; `from`: the first day of the twelfth month back, that of `to` counted. Customers are in the
    segments that they are in now; anonymous purchases are in none.
    """
    last = last or here.house.today()
    first = first or _twelfth_month_back(last)
    _check(first, last)
    model, cells = await read_segment_profit(first, last, here.read)
    whole = SegmentsOut.of(cells, model.grid)
    return SegmentProfitsOut(
        run_id=model.run_id,
        currency=model.currency,
        first_day=first,
        last_day=last,
        total=whole.total,
        segments=whole.segments,
        months=[MonthOut.of(inside, model.grid, month=month) for month, inside in by_month(cells).items()],
    )


def _twelfth_month_back(day: date) -> date:
    year, month = divmod(12 * day.year + day.month - 1 - 11, 12)
    return date(year, month + 1, 1)


def _check(first: date, last: date) -> None:
    """Raises `InvalidRequest`."""
    if first > last:
        raise InvalidRequest([FieldError("invalid_field", "must not be after `to`", parameter="from")])
    if (last - first).days >= LONGEST_DAYS:
        detail = f"must make {LONGEST_DAYS} days with `to` at most, both included: ask for a part of it"
        raise InvalidRequest([FieldError("out_of_range", detail, parameter="from")])


class WorthOut(Answer):
    """Money in major units; null where nobody bought within the year."""

    segment: str | None
    """null: everybody."""
    customers: int
    retention: float
    """r: the mean of 1 - churn_365, the share of the customers expected to buy within a year."""
    margin: float | None
    """m: margin less points and campaigns in the last year, by each customer who bought in it."""
    margin_of: str
    """`own`; `everybody` where nobody of the segment bought within the year."""
    value: float | None
    """Of one customer: m r / (1 + i - r)."""
    value_after_rise: float | None
    """With r risen by `rise_points` hundredths, to 1 at most."""
    worth_of_rise: float | None
    """For all of the customers together."""

    @classmethod
    def of(cls, worth: Worth, unit: float) -> Self:
        def major(minor: float | None) -> float | None:
            return None if minor is None else minor / unit

        return cls(
            segment=worth.kept.segment,
            customers=worth.kept.customers,
            retention=worth.kept.retention,
            margin=major(worth.margin_minor),
            margin_of=worth.margin_of,
            value=major(worth.value_minor),
            value_after_rise=major(worth.risen_minor),
            worth_of_rise=major(worth.rise_minor),
        )


class ObservedOut(Answer):
    customers: int
    """Who bought in the year before last, counted from `as_of`."""
    returned: int
    """How many of them bought in the last."""
    retention: float | None


class RetentionOut(Answer):
    run_id: UUID
    as_of: date
    """The last day of the year that margins are of."""
    model: str
    """Whose churn_365 it is."""
    currency: str
    year_days: int = YEAR_DAYS
    discount_rate: float = ANNUAL_RATE
    """i: 1 % a month, compounded."""
    rise_points: int
    observed: ObservedOut | None
    """What was, beside what is expected; null where there are not two years of history."""
    everybody: WorthOut
    segments: list[WorthOut]
    """By themselves, each with its own m and r: their worths do not add up to everybody's."""

    @classmethod
    def of(cls, found: Retention, rise_points: int) -> Self:
        model = found.model
        unit = 10.0 ** currency_exponent(model.currency)
        return cls(
            run_id=model.run_id,
            as_of=model.as_of,
            model=model.name,
            currency=model.currency,
            rise_points=rise_points,
            observed=_observed(found.observed),
            everybody=WorthOut.of(found.everybody, unit),
            segments=[WorthOut.of(each, unit) for each in found.segments],
        )


@router.get("/v1/scoring/retention")
async def get_retention(
    principal: Reader,
    here: Here,
    rise_points: Annotated[int, Query(ge=1, le=100)] = RISE_POINTS,
) -> RetentionOut:
    """What customers are worth at the retention expected of them, and what it is worth to raise that."""
    return RetentionOut.of(await read_retention(rise_points, here.read), rise_points)


def _observed(observed: ObservedReport | None) -> ObservedOut | None:
    if observed is None:
        return None
    customers, returned = observed["customers"], observed["returned"]
    return ObservedOut(customers=customers, returned=returned, retention=returned / customers if customers else None)
