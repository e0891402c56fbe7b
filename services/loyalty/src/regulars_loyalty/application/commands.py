"""What a client may ask for, besides a purchase. Instants are aware, quantities in thousandths, points positive
unless said."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from regulars_kit.values import value
from regulars_loyalty.application.purchase_rows import Shopper
from regulars_loyalty.domain.purchase import Receipt
from regulars_loyalty.domain.returning import GoodsReturned, LineWanted


@value
class Request:
    """The part every command shares: who asks, under which key, with which content (P8), and when it happened.

    `dry_run` asks for the answer without the effect. `stores` are those that the one who asks may act for; None: any.
    """

    client: str
    idempotency_key: str | None
    content_hash: bytes
    occurred_at: datetime
    dry_run: bool = False
    stores: frozenset[str] | None = None


@value
class ReturnPurchase:
    """Lines of one purchase came back. `return_id` is the client's; no lines means all that is left.

    `store` is where they were taken back; None: where they were bought.
    """

    purchase_id: UUID
    return_id: UUID
    lines: tuple[LineWanted, ...]
    request: Request
    store: str | None = None
    is_void: bool = False


@value
class VoidPurchase:
    purchase_id: UUID
    request: Request


@value
class ReturnGoods:
    """A return without a receipt; `receipt` is its own number, unique among returns."""

    return_id: UUID
    receipt: Receipt
    shopper: Shopper | None
    programme: str | None
    currency: str
    lines: tuple[GoodsReturned, ...]
    request: Request


@value
class RedeemPoints:
    shopper: Shopper
    programme: str | None
    wallet: str | None
    points: int
    request: Request


@value
class ReverseRedemption:
    """`points` None: all that is left of the redemption."""

    redemption_id: UUID
    points: int | None
    request: Request


@value
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


@value
class ClaimPurchase:
    """A receipt recorded without a customer is shown later by the one who has it."""

    purchase_id: UUID
    shopper: Shopper
    request: Request
