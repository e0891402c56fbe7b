"""How customers are spread: over the RFM cells, over the tenths by expected value and the bands of risk."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Literal
from uuid import UUID

from regulars_kit.http import Router
from regulars_scoring.adapters.http.context import Here, Reader
from regulars_scoring.adapters.http.decile_goods import TOP_DECILES, DecileGoodsOut
from regulars_scoring.adapters.http.shape import Answer, share
from regulars_scoring.application.ports import CellCount, DecileCount
from regulars_scoring.application.read_distribution import read_cells, read_deciles
from regulars_scoring.application.read_insight import read_insight
from regulars_scoring.domain.grid import SCORES
from regulars_scoring.domain.insights import DECILE_GOODS
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.scoring import BANDS

router = Router(tags=["scoring"])


DecilesBy = Literal["value", "risk", "product"]


class CountOut(Answer):
    customers: int
    revenue_minor: int
    """Net of returns, over all history."""
    expected_value_major: int
    """Over the next twelve months."""


class SegmentCountOut(CountOut):
    segment: str


class CellCountOut(CountOut):
    recency: int
    frequency: int
    monetary: int
    segment: str


class BinOut(Answer):
    score: int
    customers: int


class BinsOut(Answer):
    """How many customers have each score: equal ones stay together, so that fifths need not be fifths."""

    recency: list[BinOut]
    frequency: list[BinOut]
    monetary: list[BinOut]


class RfmOut(Answer):
    """By the settings of the run; `window_days` null: all history."""

    run_id: UUID
    currency: str
    window_days: int | None
    nested: bool
    bins: BinsOut
    segments: list[SegmentCountOut]
    cells: list[CellCountOut]


class DecileOut(CountOut):
    decile: int
    revenue_share: float | None
    """Of all revenue, 0 to 1; null when there is none."""


class TopOut(Answer):
    """The two best tenths: as near to 20 % of the customers as ties allow."""

    customers: int
    customer_share: float | None
    revenue_minor: int
    revenue_share: float | None


class RiskOut(CountOut):
    """Customers of one churn band; shares are of all customers' revenue."""

    churn_band: str
    revenue_share: float | None
    deciles: list[DecileOut]


class DecilesOut(Answer):
    run_id: UUID
    currency: str
    expected_value_major: int
    """Of all customers over the next twelve months."""
    top_20_percent: TopOut
    deciles: list[DecileOut]
    risks: list[RiskOut] | None
    """The same by churn band, where `by` is `risk`."""
    goods: DecileGoodsOut | None
    """What the tenths buy, where `by` is `product`."""


@router.get("/v1/scoring/rfm")
async def get_rfm(principal: Reader, here: Here) -> RfmOut:
    """Customers per segment and cell, as published."""
    model, cells = await read_cells(here.read)
    return RfmOut(
        run_id=model.run_id,
        currency=model.currency,
        window_days=model.window_days,
        nested=model.cuts.nested is not None,
        bins=BinsOut(**{axis: _bins(axis, cells) for axis in ("recency", "frequency", "monetary")}),
        segments=[_segment(name, model, cells) for name in model.grid.segments],
        cells=[_cell(model, cell) for cell in cells],
    )


@router.get("/v1/scoring/deciles")
async def get_deciles(principal: Reader, here: Here, by: DecilesBy = "value") -> DecilesOut:
    """Customers by tenths of expected value, and the revenue each tenth has brought; `by=risk`: by churn band, too;
    `by=product`: what each tenth buys.
    """
    model, counts = await read_deciles(here.read)
    goods = await read_insight(DECILE_GOODS, here.read) if by == "product" else None
    whole = _sums(counts)
    deciles = _deciles(counts, whole["revenue_minor"])
    return DecilesOut(
        run_id=model.run_id,
        currency=model.currency,
        expected_value_major=whole["expected_value_major"],
        top_20_percent=_top(counts, whole),
        deciles=deciles,
        risks=_risks(counts, whole["revenue_minor"]) if by == "risk" else None,
        goods=None if goods is None else DecileGoodsOut.of(goods[1]),
    )


def _bins(axis: str, cells: Sequence[CellCount]) -> list[BinOut]:
    return [
        BinOut(score=score, customers=sum(cell.customers for cell in cells if getattr(cell, axis) == score))
        for score in range(1, SCORES + 1)
    ]


def _segment(name: str, model: Model, cells: Sequence[CellCount]) -> SegmentCountOut:
    return SegmentCountOut(segment=name, **_sums(cell for cell in cells if _segment_of(model, cell) == name))


def _sums(cells: Iterable[CellCount | DecileCount]) -> dict[str, int]:
    inside = list(cells)
    return {
        "customers": sum(cell.customers for cell in inside),
        "revenue_minor": sum(cell.total_minor for cell in inside),
        "expected_value_major": sum(cell.clv_major for cell in inside),
    }


def _segment_of(model: Model, cell: CellCount) -> str:
    return model.grid.segment_of(cell.recency, cell.frequency)


def _cell(model: Model, cell: CellCount) -> CellCountOut:
    return CellCountOut(
        recency=cell.recency,
        frequency=cell.frequency,
        monetary=cell.monetary,
        segment=_segment_of(model, cell),
        **_sums([cell]),
    )


def _deciles(counts: Sequence[DecileCount], revenue_minor: int) -> list[DecileOut]:
    return [
        DecileOut(decile=decile, revenue_share=share(sums["revenue_minor"], revenue_minor), **sums)
        for decile, inside in groupby(counts, attrgetter("decile"))
        for sums in (_sums(inside),)
    ]


def _top(counts: Sequence[DecileCount], whole: Mapping[str, int]) -> TopOut:
    top = _sums(count for count in counts if count.decile <= TOP_DECILES)
    return TopOut(
        customers=top["customers"],
        customer_share=share(top["customers"], whole["customers"]),
        revenue_minor=top["revenue_minor"],
        revenue_share=share(top["revenue_minor"], whole["revenue_minor"]),
    )


def _risks(counts: Sequence[DecileCount], revenue_minor: int) -> list[RiskOut]:
    found = []
    for band in BANDS:
        inside = [count for count in counts if count.churn_band == band]
        sums, deciles = _sums(inside), _deciles(inside, revenue_minor)
        of_revenue = share(sums["revenue_minor"], revenue_minor)
        found.append(RiskOut(churn_band=band, revenue_share=of_revenue, deciles=deciles, **sums))
    return found
