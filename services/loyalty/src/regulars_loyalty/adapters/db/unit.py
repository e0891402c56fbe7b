"""The unit of work on PostgreSQL: one transaction, and the service's ports over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_loyalty.adapters.db import accounts, facts, ledger, programmes, purchases
from regulars_loyalty.adapters.db.programmes import ProgrammeCache
from regulars_loyalty.adapters.db.session import Session
from regulars_loyalty.adapters.db.writing import ToMessage, store
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
from regulars_loyalty.domain.account import Lot, Spend
from regulars_loyalty.domain.facts import Fact
from regulars_loyalty.domain.posting import Posting
from regulars_loyalty.domain.programme import Programmes
from regulars_loyalty.domain.purchase import Receipt


class PostgresUnit:
    """`LoyaltyUnit` on a connection whose transaction, if any, somebody else begins and ends.

    Sent for a batch, however large (a round trip each): `peek` and `write`; or, in a transaction, the versions' number,
    `lock`, `firsts` and `write`, or `lock_standing` and `write`.
    """

    def __init__(self, connection: AsyncConnection, cache: ProgrammeCache, to_message: ToMessage) -> None:
        self._session = Session(connection)
        self._cache = cache
        self._to_message = to_message
        self._seen: set[UUID] = set()
        self._noted_at: datetime | None = None
        self._has_published = False

    async def programmes(self) -> Programmes:
        if self._has_published:
            # Not into the cache: we may yet be rolled back.
            return programmes.programmes_of(await self.documents())
        return await self._cache.programmes(self._session)

    def programmes_at_hand(self) -> Programmes:
        return self._cache.at_hand

    async def lock_programmes(self) -> None:
        await programmes.lock_programmes(self._session)

    async def publish_version(self, version: ProgrammeDocument) -> None:
        self._has_published = True
        self._noted_at = version.recorded_at
        await programmes.add_version(self._session, version)

    async def documents(self) -> Sequence[ProgrammeDocument]:
        return await programmes.all_documents(self._session)

    async def customer_of(self, identifier_hashes: Sequence[str]) -> Mapping[str, UUID]:
        return await accounts.customer_of(self._session, identifier_hashes)

    async def link_identifiers(self, identifier_hashes: Sequence[str], customer_id: UUID) -> None:
        await accounts.link_identifiers(self._session, identifier_hashes, customer_id)

    async def unlink_identifier(self, identifier_hash: str, customer_id: UUID) -> None:
        await accounts.unlink_identifier(self._session, identifier_hash, customer_id)

    async def holders_of(self, identifier_hashes: Sequence[str]) -> Mapping[str, UUID]:
        return await accounts.holders_of(self._session, identifier_hashes)

    async def peek(self, owners: Sequence[Owner]) -> dict[Owner, Passbook]:
        return await accounts.peek(self._session, owners)

    async def lock(self, owners: Sequence[Owner], *, open_missing: bool) -> dict[Owner, Passbook]:
        return await accounts.lock(self._session, owners, open_missing=open_missing)

    async def lock_standing(self, passbooks: Sequence[Passbook]) -> list[Passbook]:
        return await accounts.lock_standing(self._session, passbooks)

    async def lock_account(self, account_id: UUID) -> Passbook:
        return await accounts.lock_account(self._session, account_id)

    async def load_lots(self, passbook: Passbook) -> None:
        await ledger.load_lots(self._session, passbook)

    async def load_spends(self, passbook: Passbook, fact_ids: Sequence[UUID]) -> None:
        await ledger.load_spends(self._session, passbook, fact_ids)

    async def history(self, account_id: UUID, *, until: datetime | None, known_at: datetime | None) -> History:
        return await facts.history(self._session, account_id, await self.programmes(), self._seen, until, known_at)

    async def firsts(
        self, purchase_ids: Sequence[UUID], keys: Sequence[tuple[str, str]], receipts: Sequence[Receipt]
    ) -> Sequence[FirstPurchase]:
        return await purchases.firsts(self._session, purchase_ids, keys, receipts)

    async def first_answer(
        self, fact_id: UUID | None, client: str, key: str | None, receipt: Receipt | None = None
    ) -> FirstAnswer | None:
        return await facts.first_answer(self._session, fact_id, client, key, receipt)

    async def purchase(self, purchase_id: UUID, *, for_update: bool = False) -> StoredPurchase | None:
        self._seen.add(purchase_id)
        return await purchases.purchase(self._session, purchase_id, for_update=for_update)

    async def purchases_covering(
        self, account_id: UUID, wanted: Mapping[str, int], currency: str, before: datetime
    ) -> Sequence[StoredPurchase]:
        found = await purchases.purchases_covering(self._session, account_id, wanted, currency, before)
        self._seen.update(each.bought.purchase_id for each in found)
        return found

    async def unclaimed(self, identifier_hashes: Sequence[str]) -> Sequence[UUID]:
        return await purchases.unclaimed(self._session, identifier_hashes)

    async def returns_of(self, purchase_id: UUID) -> Sequence[Fact]:
        return await facts.returns_of(self._session, purchase_id)

    async def claim(
        self, row: PurchaseRow, returns: Sequence[tuple[UUID, int]], account_id: UUID, known_at: datetime
    ) -> None:
        self._noted_at = known_at
        await purchases.claim(self._session, row, returns, account_id, known_at)

    async def fact(self, fact_id: UUID) -> FactRow | None:
        return await facts.fact(self._session, fact_id)

    async def write(self, writing: Writing) -> None:
        await store(self._session, writing, self._to_message, self._noted_at)

    async def accounts_of(self, customer_id: UUID) -> Sequence[Passbook]:
        return await accounts.accounts_of(self._session, customer_id)

    async def lots_of(self, account_id: UUID, *, limit: int, after: UUID | None) -> Sequence[Lot]:
        return await ledger.lots_of(self._session, account_id, limit=limit, after=after)

    async def postings_of(self, account_id: UUID, *, limit: int, after_seq: int) -> Sequence[Posting]:
        return await ledger.postings_of(self._session, account_id, limit=limit, after_seq=after_seq)

    async def posting(self, account_id: UUID, seq: int) -> Posting | None:
        return await ledger.posting(self._session, account_id, seq)

    async def postings_of_lot(self, lot_id: UUID) -> Sequence[Posting]:
        return await ledger.postings_of_lot(self._session, lot_id)

    async def spend(self, fact_id: UUID) -> Spend | None:
        return (await ledger.spends_of(self._session, [fact_id])).get(fact_id)

    async def due_accounts(self, at: datetime, quiet_since: datetime, limit: int) -> Sequence[UUID]:
        return await accounts.due_accounts(self._session, at, quiet_since, limit)

    async def totals(self, programme: str) -> Totals:
        return await ledger.totals(self._session, programme)
