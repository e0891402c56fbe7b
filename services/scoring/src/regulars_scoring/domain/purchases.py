"""Purchases as they become known, in any order, and what each puts into its customer's ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from regulars_kit.values import CustomerId
from regulars_scoring.domain.costs import NO_LINE_COSTS, LineCosts
from regulars_scoring.domain.goods import NO_GOODS, Goods
from regulars_scoring.domain.state import NOTHING, Entry


@dataclass(frozen=True, slots=True)
class Sale:
    """A purchase as the till recorded it. `customer_id` None: nobody has claimed it yet."""

    purchase_id: UUID
    customer_id: CustomerId | None
    day: date
    currency: str
    total_minor: int
    goods: Goods = NO_GOODS
    programme: str | None = None
    line_costs: LineCosts = NO_LINE_COSTS
    earned: int | None = None
    """Points; None while it is nobody's."""


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
    goods: Goods = NO_GOODS
    programme: str | None = None
    line_costs: LineCosts = NO_LINE_COSTS
    taken_back: int = 0
    """Points."""

    @property
    def key(self) -> tuple[UUID, UUID | None]:
        """A return without a receipt is told once per purchase that it matched, and once for the rest."""
        return self.return_id, self.purchase_id


@dataclass(frozen=True, slots=True)
class Claim:
    """A purchase that was nobody's is this customer's, and has earned points."""

    purchase_id: UUID
    customer_id: CustomerId
    earned: int = 0


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
    programme: str | None = None
    line_costs: LineCosts = NO_LINE_COSTS
    earned: int | None = None
    returned_line_costs: LineCosts = NO_LINE_COSTS
    taken_back: int = 0

    @property
    def is_open(self) -> bool:
        """Not wholly returned: some of its price is kept. One that cost nothing ends with any return."""
        return not self.is_voided and not (self.is_returned and self.returned_minor >= (self.total_minor or 0))

    def joined(self, later: Purchase) -> Purchase:
        """With what was told of it later: of customer and sale the first told holds, and what came back adds up."""
        sold = self if self.total_minor is not None else later
        return Purchase(
            self.customer_id or later.customer_id,
            sold.day,
            sold.currency,
            sold.total_minor,
            self.returned_minor + later.returned_minor,
            self.is_returned or later.is_returned,
            self.is_voided or later.is_voided,
            sold.programme,
            sold.line_costs,
            later.earned if self.earned is None else self.earned,
            self.returned_line_costs + later.returned_line_costs,
            self.taken_back + later.taken_back,
        )


def told_of_purchases(told: Iterable[Sale | Claim | Return]) -> dict[UUID, Purchase]:
    """What all of it tells of each purchase that it names. Of the returns, only such as count."""
    purchases: dict[UUID, Purchase] = {}
    for each in told:
        if each.purchase_id is not None:
            known = purchases.get(each.purchase_id)
            purchases[each.purchase_id] = _told_by(each) if known is None else known.joined(_told_by(each))
    return purchases


def goods_told(told: Iterable[Sale | Return]) -> Mapping[tuple[UUID, UUID | None], Goods]:
    """By purchase and return (None: the sale itself) what was sold, and came back, of purchases that are named.

    The first told of each holds. A return of no known purchase takes nothing out of a basket.
    """
    goods: dict[tuple[UUID, UUID | None], Goods] = {}
    for each in told:
        if each.purchase_id is not None and each.goods.skus:
            goods.setdefault((each.purchase_id, each.return_id if isinstance(each, Return) else None), each.goods)
    return goods


def _told_by(told: Sale | Claim | Return) -> Purchase:
    match told:
        case Sale():
            return Purchase(
                told.customer_id,
                told.day,
                told.currency,
                told.total_minor,
                programme=told.programme,
                line_costs=told.line_costs,
                earned=told.earned,
            )
        case Claim():
            return Purchase(told.customer_id, earned=told.earned)
        case Return():
            return Purchase(
                returned_minor=told.amount_minor,
                is_returned=True,
                is_voided=told.is_void,
                returned_line_costs=told.line_costs,
                taken_back=told.taken_back,
            )


@dataclass(frozen=True, slots=True)
class Posting:
    """A change of one day in one customer's ledger."""

    customer_id: CustomerId
    day: date
    change: Entry


def posting_of(before: Purchase | None, after: Purchase, reporting_currency: str | None) -> Posting | None:
    """What a purchase's change puts into the ledger; None when it concerns no customer, or changes nothing.

    A return counts on its purchase's day. In another currency a purchase is an occasion and no money.
    """
    if after.customer_id is None or after.day is None:
        return None
    change = _entry(after, reporting_currency) - _entry(before, reporting_currency)
    return None if change == NOTHING else Posting(after.customer_id, after.day, change)


def posting_of_unmatched(unmatched: Return, reporting_currency: str | None) -> Posting | None:
    """A return of no known purchase takes its amount from its own day; None when nobody's, or nothing was given."""
    is_counted = unmatched.currency == reporting_currency and unmatched.amount_minor != 0
    if unmatched.customer_id is None or not is_counted:
        return None
    return Posting(unmatched.customer_id, unmatched.day, Entry(-unmatched.amount_minor))


def summed(postings: Iterable[Posting]) -> Sequence[Posting]:
    """One posting for each day of each customer."""
    days: dict[tuple[CustomerId, date], Entry] = {}
    for posting in postings:
        place = posting.customer_id, posting.day
        days[place] = days.get(place, NOTHING) + posting.change
    return [Posting(customer_id, day, change) for (customer_id, day), change in days.items()]


def _entry(purchase: Purchase | None, reporting_currency: str | None) -> Entry:
    if purchase is None or purchase.customer_id is None or purchase.total_minor is None:
        return NOTHING
    net = purchase.total_minor - purchase.returned_minor if purchase.currency == reporting_currency else 0
    return Entry(net, 1 if purchase.is_open else 0)
