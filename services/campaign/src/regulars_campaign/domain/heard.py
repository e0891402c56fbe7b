"""What campaign hears of a customer and keeps, in its own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from regulars_kit.values import CustomerId


@dataclass(frozen=True, slots=True)
class Purchase:
    """A receipt. `parts` are its amounts by category; `categories` tell a line's by the line's id."""

    id: UUID
    customer_id: CustomerId | None
    at: datetime
    store: str
    channel: str | None
    currency: str
    total_minor: int
    parts: Mapping[str, int]
    categories: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Return:
    """Goods of one purchase (None: of no known one) that came back. `lines` are amounts by the purchase's line id.

    A return without a receipt is several of these under one id. `is_void`: the receipt was cancelled.
    """

    id: UUID
    purchase_id: UUID | None
    customer_id: CustomerId | None
    at: datetime
    store: str | None
    currency: str
    total_minor: int
    lines: Mapping[str, int]
    is_void: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """What can be spent of an account after its posting number `seq`; below 0 while there is a debt."""

    programme: str
    points: int
    seq: int


@dataclass(frozen=True, slots=True)
class Score:
    """Published figures of a customer. `churn_90` and `p_alive` are probabilities; CLV in whole units of `currency`."""

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
