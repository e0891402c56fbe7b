"""A loyalty database in memory: the units of the tests that ask for speed.

It passes the same suite as PostgreSQL (`test_unit_*`). One unit runs at a time; it works on a copy, which takes the
place of what was there when the unit ends well.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from loyalty.books import books
from loyalty.memory_tables import Tables, handed_out, instants, lines_left
from regulars_kit.values import new_id, utc_now
from regulars_loyalty.application.ports import (
    FactRow,
    FirstAnswer,
    FirstPurchase,
    History,
    Owner,
    Passbook,
    ProgrammeDocument,
    PurchaseRow,
    StoredPurchase,
    Totals,
    Writing,
)
from regulars_loyalty.domain.account import Account, Bucket, Lot, Spend
from regulars_loyalty.domain.facts import Fact
from regulars_loyalty.domain.late import net
from regulars_loyalty.domain.posting import Posting
from regulars_loyalty.domain.programme import Programme, Programmes
from regulars_loyalty.domain.programme_document import parse
from regulars_loyalty.domain.purchase import Receipt
from regulars_loyalty.domain.returning import cover


class MemoryDatabase:
    """`begin` is what the use cases are given."""

    def __init__(self) -> None:
        self.tables = Tables()
        self._one_at_a_time = asyncio.Lock()
        self._parsed: dict[int, Programmes] = {}

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryUnit]:
        async with self._one_at_a_time:
            unit = MemoryUnit(self.tables.copy(), self._parsed)
            yield unit
            self.tables = unit.tables


class MemoryUnit:
    """`LoyaltyUnit` over tables of its own."""

    def __init__(self, tables: Tables, parsed: dict[int, Programmes]) -> None:
        self.tables = tables
        self._parsed = parsed
        self._noted_at: datetime | None = None

    def _put(self, passbook: Passbook, lots: Sequence[Lot]) -> None:
        for lot in lots:
            if lot.lot_id not in passbook.account.lots:
                passbook.account.lots[lot.lot_id] = replace(lot)
                passbook.stored_lots[lot.lot_id] = (lot.issued, lot.remaining)

    async def programmes(self) -> Programmes:
        count = len(self.tables.documents)
        if count not in self._parsed:
            versions = defaultdict(list)
            for each in self.tables.documents.values():
                versions[each.code].append(parse(each.document, each.code, each.number))
            self._parsed[count] = Programmes({code: Programme.of(mine) for code, mine in versions.items()})
        return self._parsed[count]

    def programmes_at_hand(self) -> Programmes:
        return self._parsed.get(len(self.tables.documents), Programmes({}))

    async def lock_programmes(self) -> None:
        """Nobody else is running."""

    async def publish_version(self, version: ProgrammeDocument) -> None:
        self._noted_at = version.recorded_at
        self.tables.documents[version.code, version.number] = version
        self._parsed.pop(len(self.tables.documents), None)

    async def documents(self) -> Sequence[ProgrammeDocument]:
        return [document for _, document in sorted(self.tables.documents.items())]

    async def customer_of(self, identifier_hashes: Sequence[str]) -> Mapping[str, UUID]:
        held = self.tables.identifiers
        return {each: held[each] for each in identifier_hashes if each in held}

    async def link_identifiers(self, identifier_hashes: Sequence[str], customer_id: UUID) -> None:
        self.tables.identifiers.update(dict.fromkeys(identifier_hashes, customer_id))

    async def unlink_identifier(self, identifier_hash: str, customer_id: UUID) -> None:
        if self.tables.identifiers.get(identifier_hash) == customer_id:
            del self.tables.identifiers[identifier_hash]

    async def holders_of(self, identifier_hashes: Sequence[str]) -> Mapping[str, UUID]:
        return await self.customer_of(identifier_hashes)

    async def peek(self, owners: Sequence[Owner]) -> dict[Owner, Passbook]:
        return await self.lock(owners, open_missing=True)

    async def lock_standing(self, passbooks: Sequence[Passbook]) -> list[Passbook]:
        return [passbook for passbook in passbooks if passbook.is_new or self.tables.stands(passbook)]

    async def lock(self, owners: Sequence[Owner], *, open_missing: bool) -> dict[Owner, Passbook]:
        there = {stored.owner: stored for stored in self.tables.accounts.values()}
        found = {owner: handed_out(there[owner]) for owner in owners if owner in there}
        if open_missing:
            for owner in owners:
                found.setdefault(owner, Passbook(owner, Account(new_id()), is_new=True))
        return found

    async def lock_account(self, account_id: UUID) -> Passbook:
        return handed_out(self.tables.accounts[account_id])

    async def load_lots(self, passbook: Passbook) -> None:
        self._put(passbook, [lot for lot in self.tables.lots_of(passbook.account.account_id) if lot.remaining])
        passbook.has_lots = True

    async def load_spends(self, passbook: Passbook, fact_ids: Sequence[UUID]) -> None:
        for fact_id in fact_ids:
            spend = self.tables.spend(fact_id)
            if spend is not None and fact_id not in passbook.account.spends:
                passbook.account.spends[fact_id] = spend
                self._put(passbook, [self.tables.lots[lot_id][1] for lot_id, _ in spend.slices if lot_id is not None])

    async def history(self, account_id: UUID, *, until: datetime | None, known_at: datetime | None) -> History:
        known = self.tables.known_at
        facts = (
            fact
            for fact in self.tables.facts_of(account_id)
            if (until is None or fact.at <= until) and (known_at is None or known[fact.fact_id] <= known_at)
        )
        return History(tuple(facts), net(posting.move for posting in self.tables.postings_of(account_id)))

    async def firsts(
        self, purchase_ids: Sequence[UUID], keys: Sequence[tuple[str, str]], receipts: Sequence[Receipt]
    ) -> Sequence[FirstPurchase]:
        return [
            row.first
            for row in self.tables.purchases.values()
            if row.purchase.purchase_id in purchase_ids
            or (row.first.first.client, row.first.first.idempotency_key) in keys
            or row.first.receipt in receipts
        ]

    async def first_answer(
        self, fact_id: UUID | None, client: str, key: str | None, receipt: Receipt | None = None
    ) -> FirstAnswer | None:
        rows = list(self.tables.facts.values())
        by_id = [row.first for row in rows if row.fact.fact_id == fact_id]
        by_key = [row.first for row in rows if key and (row.first.client, row.first.idempotency_key) == (client, key)]
        by_receipt = [row.first for row in rows if receipt and row.receipt == receipt]
        return next(iter([*by_id, *by_key, *by_receipt]), None)

    async def purchase(self, purchase_id: UUID, *, for_update: bool = False) -> StoredPurchase | None:
        return self.tables.purchase(purchase_id)

    async def purchases_covering(
        self, account_id: UUID, wanted: Mapping[str, int], currency: str, before: datetime
    ) -> Sequence[StoredPurchase]:
        facts = self.tables.facts_of(account_id)
        newest_first = [fact.fact_id for fact in reversed(facts) if fact.at < before]
        stored = [each for fact_id in newest_first if (each := self.tables.purchase(fact_id))]
        paid = [each for each in stored if each.row.purchase.currency == currency]
        covering, _ = cover(wanted, [left for each in paid for left in lines_left(each) if left.quantity_milli])
        return [each for each in paid if each.bought.purchase_id in covering]

    async def unclaimed(self, identifier_hashes: Sequence[str]) -> Sequence[UUID]:
        rows = [row for row in self.tables.purchases.values() if row.identifier_hash in identifier_hashes]
        waiting = [row.purchase for row in rows if row.account_id is None]
        return [purchase.purchase_id for purchase in sorted(waiting, key=lambda purchase: purchase.occurred_at)]

    async def returns_of(self, purchase_id: UUID) -> Sequence[Fact]:
        rows = self.tables.facts.values()
        return [row.fact for row in rows if row.purchase_id == purchase_id and row.account_id is None]

    async def claim(
        self, row: PurchaseRow, returns: Sequence[tuple[UUID, int]], account_id: UUID, known_at: datetime
    ) -> None:
        self._noted_at = known_at
        self.tables.purchases[row.purchase.purchase_id] = row
        self.tables.known_at[row.purchase.purchase_id] = known_at
        for fact_id, fact_no in returns:
            self.tables.facts[fact_id] = replace(self.tables.facts[fact_id], account_id=account_id, fact_no=fact_no)
            self.tables.known_at[fact_id] = known_at

    async def fact(self, fact_id: UUID) -> FactRow | None:
        return self.tables.facts.get(fact_id)

    async def write(self, writing: Writing) -> None:
        now = next(instants(writing), None) or self._noted_at or utc_now()
        for row in writing.purchases:
            self.tables.insert_purchase(row)
        for fact in writing.facts:
            self.tables.insert_fact(fact)
        for bought in writing.returned:
            self.tables.returned[bought.purchase_id] = tuple(bought.returned)
        for passbook in writing.passbooks:
            self.tables.store(passbook, now)
        self.tables.outbox += tuple(writing.announcements)

    async def accounts_of(self, customer_id: UUID) -> Sequence[Passbook]:
        mine = [each for each in self.tables.accounts.values() if each.owner.customer_id == customer_id]
        return [handed_out(each) for each in sorted(mine, key=lambda each: (each.owner.programme, each.owner.wallet))]

    async def lots_of(self, account_id: UUID, *, limit: int, after: UUID | None) -> Sequence[Lot]:
        lots = sorted(self.tables.lots_of(account_id), key=lambda lot: lot.lot_id)
        return [lot for lot in lots if after is None or lot.lot_id > after][:limit]

    async def postings_of(self, account_id: UUID, *, limit: int, after_seq: int) -> Sequence[Posting]:
        return self.tables.postings_of(account_id)[after_seq : after_seq + limit]

    async def posting(self, account_id: UUID, seq: int) -> Posting | None:
        return next((each for each in self.tables.postings_of(account_id) if each.account_seq == seq), None)

    async def postings_of_lot(self, lot_id: UUID) -> Sequence[Posting]:
        return [each for postings in self.tables.postings.values() for each in postings if each.lot_id == lot_id]

    async def spend(self, fact_id: UUID) -> Spend | None:
        return self.tables.spend(fact_id)

    async def due_accounts(self, at: datetime, quiet_since: datetime, limit: int) -> Sequence[UUID]:
        quiet = [key for key, written_at in self.tables.written_at.items() if written_at < quiet_since]
        due = [(next_due_at, key) for key in quiet if (next_due_at := self.tables.accounts[key].account.next_due_at)]
        return [key for next_due_at, key in sorted(due) if next_due_at <= at][:limit]

    async def totals(self, programme: str) -> Totals:
        mine = [each for each in self.tables.accounts.values() if each.owner.programme == programme]
        flows = books(posting.move for each in mine for posting in self.tables.postings_of(each.account.account_id))
        return Totals(
            issued=-flows[Bucket.ISSUED],
            redeemed=flows[Bucket.REDEEMED],
            expired=flows[Bucket.EXPIRED],
            clawed_back=flows[Bucket.CLAWED_BACK],
            adjusted=flows[Bucket.ADJUSTED],
            written_off=-flows[Bucket.WRITTEN_OFF],
            spendable=sum(each.account.spendable for each in mine),
            debt=sum(each.account.debt for each in mine),
            accounts=len(mine),
            tiers=Counter(each.account.tier for each in mine if each.account.tier is not None),
        )
