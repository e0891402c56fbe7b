"""A purchase as the till tells it. Money in minor units of one currency, quantities in thousandths."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from regulars_kit.values import value


@value
class Line:
    """One line of a receipt. `net_minor` is what is paid for it after discounts; 0 is a gift."""

    line_id: str
    sku: str
    category: str | None
    quantity_milli: int
    net_minor: int
    discount_minor: int | None = None
    cost_minor: int | None = None


@value
class Receipt:
    """The natural key of a sale: no two purchases have the same."""

    store: str
    till: str
    business_date: date
    number: str


@value
class Purchase:
    purchase_id: UUID
    receipt: Receipt
    occurred_at: datetime
    currency: str
    lines: tuple[Line, ...]
    channel: str | None = None
    paid_in_points_minor: int = 0

    @property
    def total_minor(self) -> int:
        return sum(line.net_minor for line in self.lines)
