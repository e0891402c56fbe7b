"""What clients get. The models describe the answers for the OpenAPI document; the use cases make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
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


class ReadLineOut(BaseModel):
    line_id: str
    sku: str
    category: str | None
    quantity: str
    net_minor: int
    discount_minor: int | None
    cost_minor: int | None
    points: int
    returned_quantity: str


class StoredPurchaseOut(BaseModel):
    """A purchase as it was recorded, and what has come back of each line."""

    purchase_id: UUID
    customer_id: UUID | None
    programme: str
    store: str
    till: str
    receipt_no: str
    business_date: date
    occurred_at: datetime
    recorded_at: datetime
    channel: str | None
    currency: str
    total_minor: int
    tier: str | None
    earned: int
    points_paid: int
    coupons: list[str]
    offers: list[str]
    lines: list[ReadLineOut]


class NextExpiryOut(BaseModel):
    at: datetime
    points: int


class WalletOut(BaseModel):
    """`balance` is spendable − debt; held and pending points are not in it."""

    programme: str
    wallet: str
    balance: int
    spendable: int
    held: int
    pending: int
    debt: int
    tier: str | None
    next_expiry: NextExpiryOut | None


class AccountOut(BaseModel):
    customer_id: UUID
    wallets: list[WalletOut]


class LotOut(BaseModel):
    """`origin` is the purchase, adjustment or reversal that the points came from."""

    lot_id: UUID
    origin: UUID
    issued: int
    remaining: int
    activated_at: datetime
    expires_at: datetime | None


class LotsOut(BaseModel):
    items: list[LotOut]
    next_cursor: str | None


class TierOut(BaseModel):
    """`progress` counts what qualifies in `period`, a calendar year; `missing` is what the next tier takes."""

    programme: str
    wallet: str
    tier: str | None
    qualify_by: str
    period: str
    progress: int
    next_tier: str | None
    missing: int | None
    kept_until: datetime | None


class EntryOut(BaseModel):
    """A posting: `points` from one bucket to another. `hash` chains it to the account's entry before it."""

    entry_id: str
    account_seq: int
    occurred_at: datetime
    recorded_at: datetime
    from_: Annotated[str, Field(alias="from")]
    to: str
    points: int
    cause: str
    fact_id: UUID
    lot_id: UUID | None
    late_fact_id: UUID | None
    hash: str


class EntriesOut(BaseModel):
    items: list[EntryOut]
    next_cursor: str | None


class ExplanationOut(BaseModel):
    """`because` goes down to line, rule, factor and remainder; `afterwards` are the later entries of the same lot."""

    entry: EntryOut
    because: dict[str, Any]
    afterwards: list[EntryOut]


class TotalsOut(BaseModel):
    """A programme's books in points. `tiers` counts accounts by tier."""

    programme: str
    issued: int
    redeemed: int
    expired: int
    clawed_back: int
    adjusted: int
    written_off: int
    spendable: int
    debt: int
    accounts: int
    tiers: dict[str, int]


class ProgrammeOut(BaseModel):
    """A version as it was published, with its code and number."""

    model_config = ConfigDict(extra="allow")

    code: str
    version: int
    effective_from: date


class ProgrammesOut(BaseModel):
    items: list[ProgrammeOut]
    next_cursor: str | None
