"""What can happen to an account. An account is the fold of these in the order of `at` (P13)."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from uuid import UUID

from regulars_kit.values import value
from regulars_loyalty.domain.pricing import Price
from regulars_loyalty.domain.purchase import Purchase


@value
class PurchaseMade:
    """A purchase. `version` is the programme version of its day; `price` is None until the fold has priced it."""

    fact_id: UUID
    at: datetime
    version: int
    purchase: Purchase
    price: Price | None


@value
class ReturnedShare:
    """A part of one line of one purchase: 1 is the whole line. `line` is its place on the receipt, from 0."""

    purchase_id: UUID
    line: int
    share: Fraction


@value
class PurchaseReturned:
    """Lines came back, by a return or a void. What matched no purchase takes nothing and is not in here."""

    fact_id: UUID
    at: datetime
    shares: tuple[ReturnedShare, ...]


@value
class PointsRedeemed:
    """Points spent outside a purchase; positive."""

    fact_id: UUID
    at: datetime
    points: int


@value
class RedemptionReversed:
    """Some or all points of a redemption come back; positive."""

    fact_id: UUID
    at: datetime
    redemption_id: UUID
    points: int


@value
class PointsAdjusted:
    """An operator's goodwill (positive: a lot that ends at `expires_at`, None: never) or correction (negative)."""

    fact_id: UUID
    at: datetime
    points: int
    expires_at: datetime | None


Fact = PurchaseMade | PurchaseReturned | PointsRedeemed | RedemptionReversed | PointsAdjusted

# Late facts of these kinds are judged as of their own instant and refused where the account cannot bear them;
# the others have happened in the shop, whatever the points say (P13).
VOLUNTARY = (PointsRedeemed, PointsAdjusted)
