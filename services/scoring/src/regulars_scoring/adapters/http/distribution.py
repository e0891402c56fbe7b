"""How customers are spread: over the RFM cells, over the tenths by expected value."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from collections.abc import Iterable, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_scoring.adapters.http.answers import Answer
from regulars_scoring.adapters.http.context import Here
from regulars_scoring.application.ports import CellCount, DecileCount
from regulars_scoring.application.read_distribution import read_cells, read_deciles
from regulars_scoring.domain.rfm import SEGMENTS, segment_of

router = Router(tags=["scoring"])

Reader = Annotated[Principal, Depends(requires("scores:read"))]


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


class RfmOut(Answer):
    run_id: UUID
    currency: str
    segments: list[SegmentCountOut]
    cells: list[CellCountOut]


class DecileOut(CountOut):
    decile: int
    revenue_share: float | None
    """Of all revenue, 0 to 1; null when there is none."""


class DecilesOut(Answer):
    run_id: UUID
    currency: str
    expected_value_major: int
    """Of all customers over the next twelve months."""
    deciles: list[DecileOut]


@router.get("/v1/scoring/rfm")
async def get_rfm(principal: Reader, here: Here) -> RfmOut:
    """Customers per segment and cell, as published."""
    model, cells = await read_cells(here.read)
    return RfmOut(
        run_id=model.run_id,
        currency=model.currency,
        segments=[_segment(name, cells) for name in SEGMENTS],
        cells=[_cell(cell) for cell in cells],
    )


@router.get("/v1/scoring/deciles")
async def get_deciles(principal: Reader, here: Here) -> DecilesOut:
    """Customers by tenths of expected value, and the revenue each tenth has brought."""
    model, deciles = await read_deciles(here.read)
    revenue = sum(decile.total_minor for decile in deciles)
    return DecilesOut(
        run_id=model.run_id,
        currency=model.currency,
        expected_value_major=sum(decile.clv_major for decile in deciles),
        deciles=[_decile(decile, revenue) for decile in deciles],
    )


def _segment(name: str, cells: Sequence[CellCount]) -> SegmentCountOut:
    return SegmentCountOut(segment=name, **_sums(cell for cell in cells if _segment_of(cell) == name))


def _sums(cells: Iterable[CellCount]) -> dict[str, int]:
    inside = list(cells)
    return {
        "customers": sum(cell.customers for cell in inside),
        "revenue_minor": sum(cell.total_minor for cell in inside),
        "expected_value_major": sum(cell.clv_major for cell in inside),
    }


def _segment_of(cell: CellCount) -> str:
    return segment_of(cell.recency, cell.frequency)


def _cell(cell: CellCount) -> CellCountOut:
    return CellCountOut(
        recency=cell.recency,
        frequency=cell.frequency,
        monetary=cell.monetary,
        segment=_segment_of(cell),
        **_sums([cell]),
    )


def _decile(decile: DecileCount, revenue_minor: int) -> DecileOut:
    return DecileOut(
        decile=decile.decile,
        customers=decile.customers,
        revenue_minor=decile.total_minor,
        revenue_share=decile.total_minor / revenue_minor if revenue_minor > 0 else None,
        expected_value_major=decile.clv_major,
    )
