"""What the use cases ask of the outside: a unit of work on the service's own database, and what is in it.

A unit is one transaction: what is read under `lock` stays so until it ends. Or each of its statements is one: then it
peeks, and writes what fails where that has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from regulars_kit.values import value
from regulars_loyalty.domain import announcements
from regulars_loyalty.domain.account import Account, Bought, Lot, Spend
from regulars_loyalty.domain.announcements import Announcement
from regulars_loyalty.domain.facts import Fact
from regulars_loyalty.domain.late import MoveKey
from regulars_loyalty.domain.posting import GENESIS, Posting
from regulars_loyalty.domain.programme import Programmes
from regulars_loyalty.domain.purchase import Purchase, Receipt


class Owner(NamedTuple):
    """Whose account: one per customer, programme and wallet. Accounts are locked and opened in this order."""

    customer_id: UUID
    programme: str
    wallet: str


# One is another, whatever stands in them: comparing a batch's passbooks by value would cost more than pricing it.
@dataclass(slots=True, eq=False)
class Passbook:
    """A locked account with its place in the ledger: how far its postings, facts and hashes have come.

    `facts` and `postings` are what this unit has added and not yet stored; `stored_lots` what the database holds of
    each loaded lot (issued, remaining), so that only changed lots are written; `repriced` are purchases stored
    before whose price a late receipt changed (re-rate). A new account is stored with its first fact. `revision` counts
    how often the account was stored. `untold` is what time changed before a refusal: it is told if the passbook comes
    to be stored for another fact.
    """

    owner: Owner
    account: Account
    seq: int = 0
    fact_no: int = 0
    head: bytes = GENESIS
    is_new: bool = False
    has_lots: bool = False
    facts: list[Fact] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    stored_lots: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    repriced: dict[UUID, Bought] = field(default_factory=dict)
    revision: int = 0
    untold: tuple[Announcement, ...] = ()

    def next_fact_no(self) -> int:
        """The fact's place in the order of arrival on this account, from 1."""
        self.fact_no += 1
        return self.fact_no


@value
class History:
    """All facts of an account in the order of (`at`, arrival), and what its postings sum up to."""

    facts: tuple[Fact, ...]
    posted: Mapping[MoveKey, int]


@value
class FirstAnswer:
    """The answer to a write that was accepted before, with the hash of what was asked (P8)."""

    fact_id: UUID
    client: str
    idempotency_key: str | None
    content_hash: bytes
    answer: str


@value
class FirstPurchase:
    """What is kept of an accepted purchase to answer its retries and its doubles."""

    first: FirstAnswer
    receipt: Receipt
    sale_hash: bytes


@value
class PurchaseRow:
    """A purchase to store. `account_id`, `fact_no` and `version` are None while nobody has claimed it.

    `identifier_hash` is the keyed hash of the card, phone or e-mail shown; `known_at` when the account learnt of it.
    """

    purchase: Purchase
    first: FirstPurchase
    programme: str
    version: int
    account_id: UUID | None
    customer_id: UUID | None
    identifier_hash: str | None
    fact_no: int | None
    known_at: datetime | None
    recorded_at: datetime
    earned: int
    paid: int
    credit: int
    tier: str | None
    visit: int
    expires_at: datetime | None
    line_points: tuple[int, ...]
    coupons: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    captured_at: datetime | None = None
    sequence_no: int | None = None


@value
class FactRow:
    """Any other fact to store, with its answer. `account_id` is None for a return nobody's points are in.

    `receipt` is the natural key of a return without a receipt, unique among returns. `details` is the JSON that the
    answer's readers want back (reason, operator, unmatched lines); it names no person. `told` is what a return told
    of itself: whose it was and the money given back are kept with it, since its lines' shares alone do not say them.
    """

    fact: Fact
    account_id: UUID | None
    fact_no: int | None
    first: FirstAnswer
    recorded_at: datetime
    purchase_id: UUID | None = None
    receipt: Receipt | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    told: tuple[announcements.PurchaseReturned, ...] = ()


@value
class StoredPurchase:
    """A purchase read back, with the lines' shares that came back so far in `bought`."""

    row: PurchaseRow
    bought: Bought


@dataclass(slots=True)
class Writing:
    """Everything a unit stores, in one statement: `returned` are purchases whose lines' returned shares changed."""

    passbooks: list[Passbook] = field(default_factory=list)
    purchases: list[PurchaseRow] = field(default_factory=list)
    facts: list[FactRow] = field(default_factory=list)
    returned: list[Bought] = field(default_factory=list)
    announcements: list[Announcement] = field(default_factory=list)


class Raced(Exception):
    """Another transaction stored the same id, key or receipt first: begin again, and find its answer."""


class LoyaltyUnit(Protocol):
    """One transaction of the loyalty service."""

    async def programmes(self) -> Programmes:
        """Every programme (cached until one is published)."""

    def programmes_at_hand(self) -> Programmes:
        """What `programmes` found last in this process: the same object, unless one was published since."""

    async def lock_programmes(self) -> None: ...

    async def publish_version(self, version: ProgrammeDocument) -> None:
        """Store a new version, under `lock_programmes`."""

    async def documents(self) -> Sequence[ProgrammeDocument]:
        """All versions as they were sent, by code and number."""

    async def customer_of(self, identifier_hashes: Sequence[str]) -> Mapping[str, UUID]:
        """Which customers hold these identifiers; unknown ones are missing."""

    async def link_identifiers(self, identifier_hashes: Sequence[str], customer_id: UUID) -> None: ...

    async def unlink_identifier(self, identifier_hash: str, customer_id: UUID) -> None: ...

    async def holders_of(self, identifier_hashes: Sequence[str]) -> Mapping[str, UUID]:
        """`customer_of` as it is now, without a promise that it stays."""

    async def peek(self, owners: Sequence[Owner]) -> dict[Owner, Passbook]:
        """These owners' accounts as they are now, unlocked; missing ones come back as new."""

    async def lock(self, owners: Sequence[Owner], *, open_missing: bool) -> dict[Owner, Passbook]:
        """Lock these owners' accounts, in one order everywhere. Missing ones come back as new, or are left out."""

    async def lock_standing(self, passbooks: Sequence[Passbook]) -> list[Passbook]:
        """Those of the passbooks (of `peek`) whose accounts still are as they were read; they are locked. Waits for
        nobody: what somebody else holds is not among them. That a new account still is none shows when it is stored."""

    async def lock_account(self, account_id: UUID) -> Passbook: ...

    async def load_lots(self, passbook: Passbook) -> None:
        """Put the account's open lots into `passbook.account.lots`, unless they are there; sets `has_lots`."""

    async def load_spends(self, passbook: Passbook, fact_ids: Sequence[UUID]) -> None:
        """Put what these facts spent, and how much of it came back, into `account.spends`, with the lots they took
        from, open or not, into `account.lots`."""

    async def history(self, account_id: UUID, *, until: datetime | None, known_at: datetime | None) -> History:
        """An account's facts with `at` <= `until` known at `known_at` (None: all), and its postings' sums."""

    async def firsts(
        self, purchase_ids: Sequence[UUID], keys: Sequence[tuple[str, str]], receipts: Sequence[Receipt]
    ) -> Sequence[FirstPurchase]:
        """Accepted purchases with any of these ids, (client, key) pairs or receipts."""

    async def first_answer(
        self, fact_id: UUID | None, client: str, key: str | None, receipt: Receipt | None = None
    ) -> FirstAnswer | None:
        """The accepted fact (no purchase) with this id, this (client, key) or, among returns, this receipt."""

    async def purchase(self, purchase_id: UUID, *, for_update: bool = False) -> StoredPurchase | None: ...

    async def purchases_covering(
        self, account_id: UUID, wanted: Mapping[str, int], currency: str, before: datetime
    ) -> Sequence[StoredPurchase]:
        """The account's purchases before an instant, newest first, whose lines `cover` what is wanted (SKU to
        thousandths); all with something left of it where they do not."""

    async def unclaimed(self, identifier_hashes: Sequence[str]) -> Sequence[UUID]:
        """Purchases shown one of these identifiers that belong to nobody yet, oldest first."""

    async def returns_of(self, purchase_id: UUID) -> Sequence[Fact]:
        """The returns of an unclaimed purchase, in order of arrival."""

    async def claim(
        self, row: PurchaseRow, returns: Sequence[tuple[UUID, int]], account_id: UUID, known_at: datetime
    ) -> None:
        """Give an unclaimed purchase, and its returns (id, fact number), to an account; `row` is as priced now."""

    async def fact(self, fact_id: UUID) -> FactRow | None: ...

    async def write(self, writing: Writing) -> None:
        """Store everything, outbox rows in the accounts' order included. Raises Raced: for an account too that
        somebody else opened or stored since it was read."""

    # Reads, without locks.

    async def accounts_of(self, customer_id: UUID) -> Sequence[Passbook]:
        """The customer's accounts, unlocked, by programme and wallet."""

    async def lots_of(self, account_id: UUID, *, limit: int, after: UUID | None) -> Sequence[Lot]: ...

    async def postings_of(self, account_id: UUID, *, limit: int, after_seq: int) -> Sequence[Posting]: ...

    async def posting(self, account_id: UUID, seq: int) -> Posting | None: ...

    async def postings_of_lot(self, lot_id: UUID) -> Sequence[Posting]:
        """Everything that moved points of this lot, in order."""

    async def spend(self, fact_id: UUID) -> Spend | None: ...

    async def due_accounts(self, at: datetime, quiet_since: datetime, limit: int) -> Sequence[UUID]:
        """Accounts on which time alone changes something by `at`, and which nobody has written to since."""

    async def totals(self, programme: str) -> Totals: ...


@value
class ProgrammeDocument:
    code: str
    number: int
    effective_from: date
    document: Mapping[str, object]
    recorded_at: datetime


@value
class Totals:
    """A programme's books in points, summed over its postings and accounts; `tiers` counts accounts by code."""

    issued: int
    redeemed: int
    expired: int
    clawed_back: int
    adjusted: int
    written_off: int
    spendable: int
    debt: int
    accounts: int
    tiers: Mapping[str, int]


Begin = Callable[[], AbstractAsyncContextManager[LoyaltyUnit]]
"""Begins a unit; an `at_once` one whose statements are transactions of their own."""
