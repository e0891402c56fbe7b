"""An account while facts are folded into it: its lots, its debt, and the moves that the facts make.

The one mutable object of the domain; it lives inside one handler. `lots`, `bought` and `spends` hold what was
loaded: everything in a full fold, only what the fact at hand can touch on the till's path.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from regulars_kit.values import value
from regulars_loyalty.domain.pricing import Price

NEVER = datetime.max.replace(tzinfo=UTC)


class Bucket(StrEnum):
    """Where points sit. The first two are the account's own, the others the programme's."""

    SPENDABLE = "spendable"
    DEBT = "debt"
    ISSUED = "issued"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    CLAWED_BACK = "clawed_back"
    ADJUSTED = "adjusted"
    WRITTEN_OFF = "written_off"


class Cause(StrEnum):
    """Why points moved. With the fact's id it names the cause in full."""

    PURCHASE = "purchase"
    TENDER = "tender"
    RETURN = "return"
    REDEMPTION = "redemption"
    REVERSAL = "reversal"
    ADJUSTMENT = "adjustment"
    EXPIRY = "expiry"
    DEBT_PAYMENT = "debt_payment"


@value
class Move:
    """Points from one bucket to another, positive, at an instant of business time.

    `lot_id` is the lot they belong to, None where debt or the programme alone is concerned. `fact_id` is the fact
    that moved them; for an expiry it is the lot itself.
    """

    at: datetime
    source: Bucket
    target: Bucket
    points: int
    lot_id: UUID | None
    fact_id: UUID
    cause: Cause


@dataclass(slots=True)
class Lot:
    """Points of one earning with one end. `origin` is the fact that earned them."""

    lot_id: UUID
    origin: UUID
    issued: int
    remaining: int
    activated_at: datetime
    expires_at: datetime | None

    @property
    def spending_order(self) -> tuple[datetime, datetime, UUID]:
        """Soonest expiry first, then oldest activation, then id; never-expiring last (P3)."""
        return (self.expires_at or NEVER, self.activated_at, self.lot_id)


@dataclass(slots=True)
class Bought:
    """A purchase as the account remembers it: its price, and how much of each line came back (0 to 1)."""

    purchase_id: UUID
    at: datetime
    price: Price
    net_minor: tuple[int, ...]
    returned: list[Fraction]


@value
class LineTaking:
    """What a return took of one line: points earned, points paid for it, tier credit, money.

    How much of the line had come back, 0 to 1, `before` it and `after` it.
    """

    purchase_id: UUID
    line: int
    points: int
    paid: int
    credit: int
    net_minor: int
    before: Fraction
    after: Fraction


@dataclass(slots=True)
class Spend:
    """The lots that one redemption took, in order, None for debt; `restored` points of it came back, from the end."""

    slices: list[tuple[UUID | None, int]]
    restored: int = 0

    @property
    def left(self) -> int:
        return sum(points for _, points in self.slices) - self.restored


@dataclass(slots=True)
class Standing:
    """Qualifying points, or minor units, of one calendar year: now, and at their highest."""

    total: int = 0
    peak: int = 0

    def add(self, credit: int) -> None:
        self.total += credit
        self.peak = max(self.peak, self.total)


@dataclass(slots=True)
class Account:
    """`newest_at` is the instant of the latest event on the account, `calm_since` that of the latest one whose
    order against a plain purchase matters, `next_due_at` one before which time alone changes nothing."""

    account_id: UUID
    tier: str | None = None
    spendable: int = 0
    debt: int = 0
    visits: int = 0
    newest_at: datetime | None = None
    calm_since: datetime | None = None
    next_due_at: datetime | None = None
    standings: dict[int, Standing] = field(default_factory=dict)
    lots: dict[UUID, Lot] = field(default_factory=dict)
    bought: dict[UUID, Bought] = field(default_factory=dict)
    spends: dict[UUID, Spend] = field(default_factory=dict)
    takings: dict[UUID, list[LineTaking]] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)

    @property
    def balance(self) -> int:
        return self.spendable - self.debt

    def touch(self, at: datetime, *, is_calm: bool) -> None:
        """Remember that something happened at `at`; calm is what commutes with a plain purchase."""
        self.newest_at = at if self.newest_at is None else max(self.newest_at, at)
        if not is_calm:
            self.calm_since = self.newest_at

    def due(self, at: datetime | None) -> None:
        """Remember that time alone may change the account at `at` (None: never)."""
        if at is not None:
            self.next_due_at = at if self.next_due_at is None else min(self.next_due_at, at)

    def issue(self, lot: Lot, at: datetime, fact_id: UUID, cause: Cause, source: Bucket = Bucket.ISSUED) -> None:
        """Points of a new lot arrive; they pay debt first. The same lot again, as of a return that gives back what
        two purchases had spent of it, is more of it."""
        there = self.lots.setdefault(lot.lot_id, lot)
        if there is not lot:
            there.issued += lot.issued
        self.due(lot.expires_at)
        self.put_back(there, lot.issued, at, fact_id, cause, source)

    def put_back(self, lot: Lot, points: int, at: datetime, fact_id: UUID, cause: Cause, source: Bucket) -> None:
        """Points arrive in a lot from one of the programme's buckets; they pay debt first (I6)."""
        self.moves.append(Move(at, source, Bucket.SPENDABLE, points, lot.lot_id, fact_id, cause))
        lot.remaining += points
        self.spendable += points
        payment = min(self.debt, points)
        if payment:
            self.moves.append(Move(at, Bucket.SPENDABLE, Bucket.DEBT, payment, lot.lot_id, fact_id, Cause.DEBT_PAYMENT))
            lot.remaining -= payment
            self.spendable -= payment
            self.debt -= payment

    def draw(self, lot: Lot, points: int, at: datetime, fact_id: UUID, cause: Cause, target: Bucket) -> None:
        """Points leave a lot for one of the programme's buckets."""
        self.moves.append(Move(at, Bucket.SPENDABLE, target, points, lot.lot_id, fact_id, cause))
        lot.remaining -= points
        self.spendable -= points

    def borrow(self, points: int, at: datetime, fact_id: UUID, cause: Cause, target: Bucket) -> None:
        """Points that are not there are owed: later earnings pay them."""
        self.moves.append(Move(at, Bucket.DEBT, target, points, None, fact_id, cause))
        self.debt += points

    def write_off(self, points: int, at: datetime, fact_id: UUID, cause: Cause) -> None:
        """Points that are not there and are not owed: between the programme's own accounts, no part of I1."""
        self.moves.append(Move(at, Bucket.WRITTEN_OFF, Bucket.CLAWED_BACK, points, None, fact_id, cause))

    def forgive(self, points: int, at: datetime, fact_id: UUID, cause: Cause, source: Bucket) -> None:
        """Borrowed points come back: the debt is less by as many. `points` is at most the debt."""
        self.moves.append(Move(at, source, Bucket.DEBT, points, None, fact_id, cause))
        self.debt -= points

    def open_lots(self) -> list[Lot]:
        """Lots with points in them, in spending order."""
        return sorted((lot for lot in self.lots.values() if lot.remaining), key=lambda lot: lot.spending_order)
