"""What the database in memory stores, and the laws of its tables: no id, key, receipt or owner twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from fractions import Fraction
from math import floor
from typing import Any
from uuid import UUID

from regulars_loyalty.application.ports import (
    FactRow,
    Passbook,
    ProgrammeDocument,
    PurchaseRow,
    Raced,
    StoredPurchase,
    Writing,
)
from regulars_loyalty.domain.account import Account, Bought, Bucket, Cause, Lot, Spend, Standing
from regulars_loyalty.domain.announcements import Announcement
from regulars_loyalty.domain.facts import Fact, PurchaseMade, RedemptionReversed
from regulars_loyalty.domain.posting import Posting
from regulars_loyalty.domain.pricing import Price, stored_price
from regulars_loyalty.domain.returning import LineLeft

_SPENT = (Cause.REDEMPTION, Cause.TENDER, Cause.ADJUSTMENT)
_OURS = (Bucket.SPENDABLE, Bucket.DEBT)


@dataclass(slots=True)
class Tables:
    """No value in here is ever changed, only replaced: so a copy of the tables is a copy of everything."""

    documents: dict[tuple[str, int], ProgrammeDocument] = field(default_factory=dict)
    identifiers: dict[str, UUID] = field(default_factory=dict)
    accounts: dict[UUID, Passbook] = field(default_factory=dict)
    written_at: dict[UUID, datetime] = field(default_factory=dict)
    purchases: dict[UUID, PurchaseRow] = field(default_factory=dict)
    returned: dict[UUID, tuple[Fraction, ...]] = field(default_factory=dict)
    facts: dict[UUID, FactRow] = field(default_factory=dict)
    known_at: dict[UUID, datetime] = field(default_factory=dict)
    lots: dict[UUID, tuple[UUID, Lot]] = field(default_factory=dict)
    postings: dict[UUID, tuple[Posting, ...]] = field(default_factory=dict)
    outbox: tuple[Announcement, ...] = ()

    def copy(self) -> Tables:
        values: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            values[each.name] = dict(value) if isinstance(value, dict) else value
        return Tables(**values)

    def postings_of(self, account_id: UUID) -> tuple[Posting, ...]:
        return self.postings.get(account_id, ())

    def lots_of(self, account_id: UUID) -> list[Lot]:
        return [lot for owner, lot in self.lots.values() if owner == account_id]

    def purchase(self, purchase_id: UUID) -> StoredPurchase | None:
        row = self.purchases.get(purchase_id)
        if row is None:
            return None
        nets = tuple(line.net_minor for line in row.purchase.lines)
        returned = list(self.returned[purchase_id])
        return StoredPurchase(row, Bought(purchase_id, row.purchase.occurred_at, price_of(row), nets, returned))

    def facts_of(self, account_id: UUID) -> list[Fact]:
        """The account's facts in the order of (`at`, arrival)."""
        bought = [(row.fact_no, fact_of(row)) for row in self.purchases.values() if row.account_id == account_id]
        others = [(row.fact_no, row.fact) for row in self.facts.values() if row.account_id == account_id]
        return [fact for _, fact in sorted([*bought, *others], key=lambda pair: (pair[1].at, pair[0] or 0))]

    def spend(self, fact_id: UUID) -> Spend | None:
        """What a fact took, net of later differences, in spending order; what was borrowed comes last."""
        taken: dict[UUID | None, int] = {}
        for posting in (each for postings in self.postings.values() for each in postings):
            if posting.fact_id == fact_id and posting.cause in _SPENT and Bucket.ISSUED not in _sides(posting):
                sign = 1 if posting.source in _OURS else -1
                taken[posting.lot_id] = taken.get(posting.lot_id, 0) + sign * posting.points
        slices = [(lot_id, points) for lot_id, points in taken.items() if points and lot_id is not None]
        slices.sort(key=lambda each: self.lots[each[0]][1].spending_order)
        borrowed = [(None, taken[None])] if taken.get(None) else []
        return Spend([*slices, *borrowed], self._restored(fact_id)) if slices or borrowed else None

    def _restored(self, fact_id: UUID) -> int:
        bought = self.purchase(fact_id)
        if bought is None:
            facts = (row.fact for row in self.facts.values())
            return sum(
                each.points for each in facts if isinstance(each, RedemptionReversed) and each.redemption_id == fact_id
            )
        return sum(
            floor(paid * part) for paid, part in zip(bought.bought.price.line_paid, bought.bought.returned, strict=True)
        )

    def insert_purchase(self, row: PurchaseRow) -> None:
        mine = row.first
        for each in self.purchases.values():
            has_key = mine.first.idempotency_key is not None and _key(each) == _key(row)
            if has_key or each.first.receipt == mine.receipt or mine.first.fact_id == each.first.first.fact_id:
                raise Raced("purchases")
        self.purchases[mine.first.fact_id] = row
        self.returned[mine.first.fact_id] = (Fraction(0),) * len(row.purchase.lines)
        if row.known_at is not None:
            self.known_at[mine.first.fact_id] = row.known_at

    def insert_fact(self, row: FactRow) -> None:
        key = (row.first.client, row.first.idempotency_key)
        for each in self.facts.values():
            has_key = row.first.idempotency_key is not None and (each.first.client, each.first.idempotency_key) == key
            if has_key or each.fact.fact_id == row.fact.fact_id or (row.receipt and each.receipt == row.receipt):
                raise Raced("facts")
        self.facts[row.fact.fact_id] = row
        self.known_at[row.fact.fact_id] = row.recorded_at

    def stands(self, passbook: Passbook) -> bool:
        """Whether its account is as it was read: not opened, and not stored, by somebody else."""
        account_id = passbook.account.account_id
        if any(each.owner == passbook.owner and key != account_id for key, each in self.accounts.items()):
            return False
        stored = self.accounts.get(account_id)
        return stored is None or stored.revision == passbook.revision

    def store(self, passbook: Passbook, now: datetime) -> None:
        """Store an account's row, lots and postings; afterwards the passbook has nothing unstored."""
        account = passbook.account
        if not self.stands(passbook):
            raise Raced("accounts")
        if any(posting.late_fact_id for posting in passbook.postings):
            self._empty_lots_that_never_were(account)
        for lot in account.lots.values():
            self.lots[lot.lot_id] = (account.account_id, replace(lot))
        for purchase_id, bought in passbook.repriced.items():
            self.purchases[purchase_id] = repriced(self.purchases[purchase_id], bought.price)
        self.postings[account.account_id] = (*self.postings_of(account.account_id), *passbook.postings)
        passbook.is_new = False
        passbook.revision += 1
        passbook.facts, passbook.postings, passbook.repriced = [], [], {}
        passbook.stored_lots = {lot.lot_id: (lot.issued, lot.remaining) for lot in account.lots.values()}
        self.accounts[account.account_id] = handed_out(passbook)
        self.written_at[account.account_id] = now

    def _empty_lots_that_never_were(self, account: Account) -> None:
        for lot in self.lots_of(account.account_id):
            if lot.lot_id not in account.lots:
                self.lots[lot.lot_id] = (account.account_id, replace(lot, issued=0, remaining=0))


def handed_out(passbook: Passbook) -> Passbook:
    """A passbook of its own, with what stands in the account's row and nothing else."""
    account = passbook.account
    standings = {year: Standing(each.total, each.peak) for year, each in account.standings.items()}
    bare = replace(account, standings=standings, lots={}, bought={}, spends={}, takings={}, moves=[])
    return Passbook(passbook.owner, bare, passbook.seq, passbook.fact_no, passbook.head, revision=passbook.revision)


def price_of(row: PurchaseRow) -> Price:
    return stored_price(
        row.purchase,
        row.line_points,
        earned=row.earned,
        credit=row.credit,
        paid=row.paid,
        expires_at=row.expires_at,
        tier=row.tier,
        visit=row.visit,
    )


def fact_of(row: PurchaseRow) -> PurchaseMade:
    return PurchaseMade(row.purchase.purchase_id, row.purchase.occurred_at, row.version, row.purchase, price_of(row))


def repriced(row: PurchaseRow, price: Price) -> PurchaseRow:
    return replace(
        row,
        earned=price.earned,
        credit=price.credit,
        tier=price.tier,
        visit=price.visit,
        line_points=price.line_points,
    )


def instants(writing: Writing) -> Iterator[datetime]:
    """The server's instants that a writing names."""
    yield from (row.recorded_at for row in writing.purchases)
    yield from (row.recorded_at for row in writing.facts)
    yield from (posting.recorded_at for passbook in writing.passbooks for posting in passbook.postings)


def lines_left(stored: StoredPurchase) -> list[LineLeft]:
    lines = zip(stored.row.purchase.lines, stored.bought.returned, strict=True)
    purchase_id = stored.bought.purchase_id
    return [LineLeft(purchase_id, line.sku, line.quantity_milli * (1 - returned)) for line, returned in lines]


def _key(row: PurchaseRow) -> tuple[str, str | None]:
    return (row.first.first.client, row.first.first.idempotency_key)


def _sides(posting: Posting) -> tuple[Bucket, Bucket]:
    return (posting.source, posting.target)
