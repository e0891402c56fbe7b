"""What this service tells the others, in its own words; `adapters.bus` puts it into the published language."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from regulars_kit.values import value
from regulars_loyalty.domain.programme import Version
from regulars_loyalty.domain.purchase import Purchase


@value
class BalanceAfter:
    """An account's points after the fact, with the number of its last posting."""

    spendable: int
    debt: int
    account_seq: int


@value
class PurchaseRecorded:
    """A purchase with all it moved: the one event of a purchase that changes no tier. `is_late`: older than others."""

    purchase: Purchase
    customer_id: UUID | None
    programme: str
    wallet: str
    earned: int
    paid: int
    line_points: tuple[int, ...]
    tier: str | None
    coupons: tuple[str, ...]
    offers: tuple[str, ...]
    balance: BalanceAfter | None
    is_late: bool


@value
class ReturnedLine:
    """A line, or a part of one, that came back; `line_id` is None where it matched no purchase.

    `cost_minor` is what the goods had cost the shop; None where no till said.
    """

    line_id: str | None
    sku: str
    quantity_milli: int | None
    net_minor: int
    points: int
    cost_minor: int | None = None


@value
class PurchaseReturned:
    """Goods of one purchase, or of none, came back."""

    return_id: UUID
    purchase_id: UUID | None
    purchase_day: date | None
    customer_id: UUID | None
    programme: str
    wallet: str
    business_date: date
    occurred_at: datetime
    currency: str
    lines: tuple[ReturnedLine, ...]
    taken_back: int
    restored: int
    is_void: bool
    flags: tuple[str, ...]
    balance: BalanceAfter | None
    is_late: bool


@value
class PurchaseClaimed:
    """`taken_back` of what it earned went at once, for what had come back of it before."""

    purchase: Purchase
    customer_id: UUID
    programme: str
    wallet: str
    earned: int
    tier: str | None
    balance: BalanceAfter
    taken_back: int = 0


@value
class PointsSpent:
    redemption_id: UUID
    customer_id: UUID
    programme: str
    wallet: str
    points: int
    occurred_at: datetime
    balance: BalanceAfter


@value
class PointsRestored:
    redemption_id: UUID
    customer_id: UUID
    programme: str
    wallet: str
    points: int
    expired: int
    occurred_at: datetime
    balance: BalanceAfter


@value
class PointsExpired:
    """Points of one account that passed their date, all those written down in one commit."""

    customer_id: UUID
    programme: str
    wallet: str
    points: int
    occurred_at: datetime
    balance: BalanceAfter


@value
class PointsAdjusted:
    adjustment_id: UUID
    customer_id: UUID
    programme: str
    wallet: str
    points: int
    expires_at: datetime | None
    occurred_at: datetime
    balance: BalanceAfter


@value
class BalanceChanged:
    customer_id: UUID
    programme: str
    wallet: str
    occurred_at: datetime
    balance: BalanceAfter


@value
class TierChanged:
    """`reason` is what moved it: qualified, returned, period_ended or re_rated."""

    customer_id: UUID
    programme: str
    from_tier: str | None
    to_tier: str
    at: datetime
    reason: str


@value
class ProgrammePublished:
    """`margin_rate` and `return_period` are as the document says, for those who need them; None when it does not."""

    version: Version
    margin_rate: str | None
    return_period: str | None


@value
class FlagRaised:
    flag_id: UUID
    kind: str
    occurred_at: datetime
    programme: str
    customer_id: UUID | None
    store: str
    till: str
    return_id: UUID | None


Announcement = (
    PurchaseRecorded
    | PurchaseReturned
    | PurchaseClaimed
    | PointsSpent
    | PointsRestored
    | PointsExpired
    | PointsAdjusted
    | BalanceChanged
    | TierChanged
    | ProgrammePublished
    | FlagRaised
)
