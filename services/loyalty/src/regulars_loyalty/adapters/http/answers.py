"""What clients get. The models describe the answers for the OpenAPI document; the use cases make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from regulars_kit.http import etag, is_match
from regulars_loyalty.application.purchase_rows import Answer

REPLAYED = {"Idempotent-Replayed": "true"}


def reply(answer: Answer, status: int = 201) -> Response:
    """The answer to a write, as it was kept: the same bytes each time."""
    headers = REPLAYED if answer.is_replayed else None
    return Response(answer.body, status, headers, media_type="application/json")


def tagged(request: Request, document: Mapping[str, object] | Sequence[object]) -> Response:
    """A document with its entity tag; 304 without it when the client has it already."""
    body = to_json(document)
    headers = {"ETag": etag(body)}
    if is_match(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


class LinePointsOut(BaseModel):
    line_id: str
    points: int


class PurchaseOut(BaseModel):
    """`customer_id` and `balance` are null while the purchase is nobody's. `duplicate_of` names the purchase that
    was recorded before under this receipt number, whose answer this is."""

    purchase_id: UUID
    customer_id: UUID | None
    tier: str | None
    earned: int
    pending: int
    lines: list[LinePointsOut]
    balance: int | None
    duplicate_of: UUID | None


class ReturnOut(BaseModel):
    """`taken_back` are points clawed back, debt included; `restored` points that had paid for the goods."""

    return_id: UUID
    lines: list[LinePointsOut]
    taken_back: int
    restored: int
    balance: int | None


class GoodsLineOut(BaseModel):
    """One line, or a part of one: the purchase it matched, null where none did."""

    sku: str
    purchase_id: UUID | None
    line_id: str | None
    points: int


class GoodsReturnOut(BaseModel):
    """`flags` holds `unmatched_return` when something matched no purchase."""

    return_id: UUID
    lines: list[GoodsLineOut]
    taken_back: int
    restored: int
    balance: int | None
    flags: list[str]


class ClaimOut(BaseModel):
    purchase_id: UUID
    customer_id: UUID
    tier: str | None
    earned: int
    lines: list[LinePointsOut]
    balance: int


class LotShareOut(BaseModel):
    lot_id: UUID
    points: int


class RedemptionOut(BaseModel):
    """`lots`: where the points came from, soonest expiry first."""

    redemption_id: UUID
    lots: list[LotShareOut]
    balance: int


class ReversalOut(BaseModel):
    """`expired` of the `restored` points were past their date."""

    reversal_id: UUID
    redemption_id: UUID
    restored: int
    expired: int
    balance: int


class AdjustmentOut(BaseModel):
    adjustment_id: UUID
    points: int
    balance: int
