"""Purchases as they become known, in any order, and what each puts into its customer's ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from regulars_kit.values import CustomerId
from regulars_scoring.domain.state import NOTHING, Entry


@dataclass(frozen=True, slots=True)
class Sale:
    """A purchase as the till recorded it. `customer_id` None: nobody has claimed it yet."""

    purchase_id: UUID
    customer_id: CustomerId | None
    day: date
    currency: str
    total_minor: int


@dataclass(frozen=True, slots=True)
class Return:
    """Goods that came back, of one purchase or (None) of none that is known. `amount_minor` was given back for them."""

    return_id: UUID
    purchase_id: UUID | None
    customer_id: CustomerId | None
    day: date
    currency: str
    amount_minor: int
    is_void: bool = False


@dataclass(frozen=True, slots=True)
class Purchase:
    """All that is known of a purchase. `total_minor` None: so far only its returns, or its claim, were heard of."""

    customer_id: CustomerId | None = None
    day: date | None = None
    currency: str | None = None
    total_minor: int | None = None
    returned_minor: int = 0
    is_returned: bool = False
    is_voided: bool = False

    @property
    def is_open(self) -> bool:
        """Not wholly returned: some of its price is kept. One that cost nothing ends with any return."""
        return not self.is_voided and not (self.is_returned and self.returned_minor >= (self.total_minor or 0))


@dataclass(frozen=True, slots=True)
class Posting:
    """A change of one day in one customer's ledger."""

    customer_id: CustomerId
    day: date
    change: Entry


def posting_of(before: Purchase | None, after: Purchase, reporting_currency: str) -> Posting | None:
    """What a purchase's change puts into the ledger; None when it concerns no customer, or changes nothing.

    A return counts on its purchase's day. In another currency a purchase is an occasion and no money.
    """
    if after.customer_id is None or after.day is None:
        return None
    change = _entry(after, reporting_currency) - _entry(before, reporting_currency)
    return None if change == NOTHING else Posting(after.customer_id, after.day, change)


def posting_of_unmatched(unmatched: Return, reporting_currency: str) -> Posting | None:
    """A return of no known purchase takes its amount from its own day; None when nobody's, or nothing was given."""
    is_counted = unmatched.currency == reporting_currency and unmatched.amount_minor != 0
    if unmatched.customer_id is None or not is_counted:
        return None
    return Posting(unmatched.customer_id, unmatched.day, Entry(-unmatched.amount_minor))


def _entry(purchase: Purchase | None, reporting_currency: str) -> Entry:
    if purchase is None or purchase.customer_id is None or purchase.total_minor is None:
        return NOTHING
    net = purchase.total_minor - purchase.returned_minor if purchase.currency == reporting_currency else 0
    return Entry(net, 1 if purchase.is_open else 0)
