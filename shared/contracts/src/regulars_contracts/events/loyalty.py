"""What the loyalty service announces about purchases and points.

Keyed by customer id; an anonymous purchase by its own id, a programme by its code. A purchase is one event that says
everything about itself, the balance after it included. Nothing an operator typed (a reason, a note) is repeated here.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from regulars_contracts.events.base import Event, Part
from regulars_contracts.fields import (
    Code,
    Currency,
    Day,
    Factor,
    Flag,
    Instant,
    Minor,
    Points,
    Quantity,
    SequenceNo,
    SignedPoints,
    Text,
)


class Balance(Part):
    """An account after the fact. `spendable - debt` is what the till shows; held and pending are not in it."""

    spendable: Points
    pending: Points
    held: Points
    debt: Points
    account_seq: SequenceNo
    """Number of the account's newest posting, 0 before the first: a projection keeps the state with the highest."""


class PurchaseLine(Part):
    """One line of a receipt."""

    line_id: Text
    sku: Text
    category: Text | None = None
    quantity: Quantity
    net_minor: Minor
    """What was paid for the line, after discounts."""
    discount_minor: Minor = 0
    cost_minor: Minor | None = None
    """What the line cost the shop; None when the till does not say."""
    points: Points
    """The line's share of what the purchase earned."""


class PurchaseRecorded(Event):
    """A purchase, what it earned and the balance it left. No other event repeats its points."""

    type: ClassVar[str] = "loyalty.purchase_recorded.v1"
    purchase_id: UUID
    customer_id: UUID | None
    """None while nobody has claimed it: an anonymous purchase, or an identifier that nobody owns yet."""
    programme: Text
    wallet: Text
    store: Text
    till: Text
    channel: Text | None = None
    business_date: Day
    occurred_at: Instant
    currency: Currency
    total_minor: Minor
    lines: tuple[PurchaseLine, ...]
    earned: Points
    points_paid: Points = 0
    """Points that paid for a part of it."""
    coupons: tuple[Text, ...] = ()
    offers: tuple[Text, ...] = ()
    tier: Text | None
    """The tier held before the purchase; None without a customer or without tiers."""
    balance: Balance | None
    """None without a customer."""
    late: Flag = False
    """It arrived after a newer fact of the same account."""


class ReturnedLine(Part):
    """One line that came back, or a part of it."""

    line_id: Text | None = None
    """The purchase's line; None when no purchase matched."""
    sku: Text
    quantity: Quantity | None = None
    """None when the return was measured by amount."""
    net_minor: Minor
    """The amount given back for it, 0 or more."""
    cost_minor: Minor | None = None
    """What these goods had cost the shop; None when the till did not say, or no purchase matched."""
    points: Points
    """Points taken back for it."""


class PurchaseReturned(Event):
    """Goods came back. A return without a receipt is announced once per purchase it matched, and once for the rest."""

    type: ClassVar[str] = "loyalty.purchase_returned.v1"
    return_id: UUID
    purchase_id: UUID | None
    """None for what matched no purchase."""
    purchase_day: Day | None
    """Business date of that purchase, to correct the right day's sales."""
    customer_id: UUID | None
    programme: Text
    wallet: Text
    store: Text | None = None
    till: Text | None = None
    business_date: Day
    occurred_at: Instant
    currency: Currency
    lines: tuple[ReturnedLine, ...]
    taken_back: Points
    """Points clawed back, debt included."""
    restored: Points
    """Points given back that had paid for the returned goods."""
    voided: Flag = False
    """The whole receipt was cancelled, not goods brought back."""
    flags: tuple[Code, ...] = ()
    """Why somebody should look at it: `unmatched_return` …"""
    balance: Balance | None
    late: Flag = False


class PurchaseClaimed(Event):
    """A purchase recorded without a customer has one now, and earned at its own time."""

    type: ClassVar[str] = "loyalty.purchase_claimed.v1"
    purchase_id: UUID
    purchase_day: Day
    customer_id: UUID
    programme: Text
    wallet: Text
    occurred_at: Instant
    earned: Points
    taken_back: Points = 0
    """Part of `earned` that went at once, for what had come back of the purchase before it was claimed."""
    tier: Text | None = None
    balance: Balance


class AccountEvent(Event):
    """Something that happened to the points of one account, and the balance it left."""

    customer_id: UUID
    programme: Text
    wallet: Text
    occurred_at: Instant
    balance: Balance


class PointsEarned(AccountEvent):
    """Points earned otherwise than by a purchase."""

    type: ClassVar[str] = "loyalty.points_earned.v1"
    points: Points
    origin: Code
    """bonus, offer, referral, challenge, make_good or activation."""
    reference: Text | None = None
    """What they were earned for: an id in the origin's own words."""
    usable_from: Instant | None = None
    """None: at once."""
    expires_at: Instant | None = None
    """First instant at which they are no longer usable; None: never."""


class PointsSpent(AccountEvent):
    """Points redeemed otherwise than as a tender of a purchase."""

    type: ClassVar[str] = "loyalty.points_spent.v1"
    redemption_id: UUID
    points: Points
    reward: Text | None = None
    """The reward they bought; None when points alone were redeemed."""


class PointsRestored(AccountEvent):
    """A redemption was taken back: its points return to the lots they came from."""

    type: ClassVar[str] = "loyalty.points_restored.v1"
    redemption_id: UUID
    points: Points
    expired: Points = 0
    """Part of `points` that was past its date and expired at once."""


class PointsExpired(AccountEvent):
    """Points passed their date unused."""

    type: ClassVar[str] = "loyalty.points_expired.v1"
    points: Points


class PointsAdjusted(AccountEvent):
    """An operator gave points or took some; the reason stays in the ledger."""

    type: ClassVar[str] = "loyalty.points_adjusted.v1"
    adjustment_id: UUID
    points: SignedPoints
    expires_at: Instant | None = None


class BalanceChanged(AccountEvent):
    """The balance moved for a reason that no other event of the same commit tells."""

    type: ClassVar[str] = "loyalty.balance_changed.v1"


class TierChanged(Event):
    """A customer's tier rose or fell; it holds from the next purchase on."""

    type: ClassVar[str] = "loyalty.tier_changed.v1"
    customer_id: UUID
    programme: Text
    from_tier: Text | None
    """None when the customer had none before."""
    to_tier: Text
    at: Instant
    reason: Code
    """qualified, period_ended, returned, re_rated …"""
    kept_until: Instant | None = None
    """First instant at which it is judged again; None: it has no end."""


class TierStep(Part):
    """One tier of a programme."""

    code: Text
    threshold: Points
    """Qualifying points, or minor units of spend, from which it is reached; inclusive."""
    multiplier: Factor


class ProgrammePublished(Event):
    """A programme has a new version, in force from a day in its own time zone."""

    type: ClassVar[str] = "loyalty.programme_published.v1"
    code: Text
    version: SequenceNo
    effective_from: Day
    time_zone: Text
    """An IANA zone, such as Europe/Berlin."""
    wallet: Text
    stores: tuple[Text, ...] = ()
    """`*` stands for every store that no programme names."""
    point_value: dict[Currency, Factor]
    """Major units of the currency that one point is worth."""
    margin_rate: Factor | None = None
    """Share of the net that is margin where a line says no cost; None when not declared."""
    expected_redemption: Factor | None = None
    """Share of points expected to be redeemed; None: learnt from history."""
    return_period: Text | None = None
    """ISO 8601 duration, such as P14D."""
    tiers: tuple[TierStep, ...] = ()


class FlagRaised(Event):
    """Something that somebody should look at. It changes no points by itself."""

    type: ClassVar[str] = "loyalty.flag_raised.v1"
    flag_id: UUID
    kind: Code
    """unmatched_return, velocity, refund_and_redeem, never_registered …"""
    occurred_at: Instant
    programme: Text | None = None
    customer_id: UUID | None = None
    store: Text | None = None
    till: Text | None = None
    purchase_id: UUID | None = None
    return_id: UUID | None = None


EVENTS: tuple[type[Event], ...] = (
    PurchaseRecorded,
    PurchaseReturned,
    PurchaseClaimed,
    PointsEarned,
    PointsSpent,
    PointsRestored,
    PointsExpired,
    PointsAdjusted,
    BalanceChanged,
    TierChanged,
    ProgrammePublished,
    FlagRaised,
)
