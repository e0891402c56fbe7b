"""What campaign hears of customers and keeps, in its own words. One event may tell several of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from regulars_campaign.domain.rules import Facet, HasConsent
from regulars_kit.values import CustomerId


@dataclass(frozen=True, slots=True)
class Purchase:
    """A receipt, on a day of the shop's zone. `parts` are amounts by category; `categories` tell a line's by its id."""

    id: UUID
    customer_id: CustomerId | None
    at: datetime
    day: date
    store: str
    channel: str | None
    currency: str
    total_minor: int
    parts: Mapping[str, int]
    categories: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Return:
    """Goods of one purchase (None: of no known one) that came back. `lines` are amounts by the purchase's line id.

    A return without a receipt is several of these under one id.
    """

    id: UUID
    purchase_id: UUID | None
    customer_id: CustomerId | None
    at: datetime
    day: date
    store: str | None
    currency: str
    total_minor: int
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The receipt was cancelled: it was no purchase, and nobody brought anything back."""

    purchase_id: UUID
    customer_id: CustomerId | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A purchase that was nobody's has its customer, with all that came back of it."""

    purchase_id: UUID
    customer_id: CustomerId


@dataclass(frozen=True, slots=True)
class Traits:
    """All traits, as they stood at an instant."""

    customer_id: CustomerId
    values: Mapping[str, object]
    at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """A yes or no to one purpose on one channel."""

    customer_id: CustomerId
    way: HasConsent
    is_granted: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the life cycle stands from an instant on."""

    customer_id: CustomerId
    stage: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Tier:
    """The tier reached in a programme, or fallen to."""

    customer_id: CustomerId
    programme: str
    tier: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Balance:
    """What can be spent of an account after its posting number `seq`; below 0 while there is a debt."""

    customer_id: CustomerId
    programme: str
    points: int
    seq: int


@dataclass(frozen=True, slots=True)
class Score:
    """Published figures of a customer. `churn_90` and `p_alive` are probabilities; CLV in whole units of `currency`."""

    customer_id: CustomerId
    scored_at: datetime
    recency: int
    frequency: int
    monetary: int
    rfm_segment: str
    decile: int
    churn_band: str
    churn_90: Decimal
    p_alive: Decimal
    clv: int
    currency: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """The customer is about to be lost."""

    customer_id: CustomerId


Heard = Purchase | Return | Cancelled | Claim | Traits | Consent | Stage | Tier | Balance | Score | Alarm

_DEEDS = frozenset({Facet.PURCHASES, Facet.RETURNS})

FACETS: Mapping[type[Heard], frozenset[Facet]] = {
    Purchase: _DEEDS,
    Return: _DEEDS,
    Cancelled: _DEEDS,
    Claim: _DEEDS,
    Traits: frozenset({Facet.TRAITS}),
    Consent: frozenset({Facet.CONSENTS}),
    Stage: frozenset({Facet.STAGE}),
    Tier: frozenset({Facet.TIER}),
    Balance: frozenset({Facet.BALANCE}),
    Score: frozenset({Facet.SCORES}),
    Alarm: frozenset(),
}
"""What each of them may change a verdict by."""
