"""What a client may ask for, besides a purchase. Instants are aware, quantities in thousandths, points positive
unless said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from regulars_loyalty.application.purchase_rows import Shopper
from regulars_loyalty.domain.purchase import Receipt
from regulars_loyalty.domain.returning import GoodsReturned, LineWanted


@dataclass(frozen=True, slots=True)
class Request:
    """The part every command shares: who asks, under which key, with which content (P8), and when it happened.

    `dry_run` asks for the answer without the effect.
    """

    client: str
    idempotency_key: str | None
    content_hash: bytes
    occurred_at: datetime
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ReturnPurchase:
    """Lines of one purchase came back. `return_id` is the client's; no lines means all that is left."""

    purchase_id: UUID
    return_id: UUID
    lines: tuple[LineWanted, ...]
    request: Request
    is_void: bool = False


@dataclass(frozen=True, slots=True)
class VoidPurchase:
    purchase_id: UUID
    request: Request


@dataclass(frozen=True, slots=True)
class ReturnGoods:
    """A return without a receipt; `receipt` is its own number, unique among returns."""

    return_id: UUID
    receipt: Receipt
    shopper: Shopper | None
    programme: str | None
    currency: str
    lines: tuple[GoodsReturned, ...]
    request: Request


@dataclass(frozen=True, slots=True)
class RedeemPoints:
    shopper: Shopper
    programme: str | None
    wallet: str | None
    points: int
    request: Request


@dataclass(frozen=True, slots=True)
class ReverseRedemption:
    """`points` None: all that is left of the redemption."""

    redemption_id: UUID
    points: int | None
    request: Request


@dataclass(frozen=True, slots=True)
class AdjustPoints:
    """Goodwill (points above 0, a lot until `expires_at`, None: by the programme's lot life) or a correction."""

    customer_id: UUID
    programme: str | None
    wallet: str | None
    points: int
    reason: str
    operator: str
    expires_at: datetime | None
    request: Request


@dataclass(frozen=True, slots=True)
class ClaimPurchase:
    """A receipt recorded without a customer is shown later by the one who has it."""

    purchase_id: UUID
    shopper: Shopper
    request: Request
