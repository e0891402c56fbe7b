"""Tests of the tests: each law of the ledger holds on the real service, and goes red on a planted bug."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from conftest import FreshDatabase
from loyalty import laws
from loyalty.desk import Desk
from loyalty.laws import live_on
from regulars_kit.db import Database
from regulars_kit.transactions import Transactions
from regulars_loyalty.adapters.bus.published import message_of
from regulars_loyalty.adapters.db.programmes import ProgrammeCache
from regulars_loyalty.adapters.db.unit import PostgresUnit
from regulars_loyalty.application.ports import Begin, Owner, Passbook, Writing


@pytest.fixture
async def database(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    """A shop with its programme, where nobody bought yet."""
    database = Database(await fresh_database("regulars_loyalty"), name="planted", pool_size=4)
    await Desk(real(database)).publish()
    yield database
    await database.close()


def units(kind: type[PostgresUnit]) -> Callable[[AsyncConnection], PostgresUnit]:
    cache = ProgrammeCache()
    return lambda connection: kind(connection, cache, message_of)


def real(database: Database, on_commit: Callable[[], None] = live_on) -> Begin:
    return Transactions(database, units(PostgresUnit), on_commit)


async def test_a_unique_index_makes_two_of_one_receipt_one(database: Database) -> None:
    await laws.one_receipt_is_one_purchase(real(database), database)


async def test_a_check_before_the_insert_without_the_index_is_seen(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("ALTER TABLE purchases DROP CONSTRAINT purchases_receipt"))
    with pytest.raises(AssertionError, match="2 purchases"):
        await laws.one_receipt_is_one_purchase(real(database), database)


async def test_balance_and_ledger_are_one_commit(database: Database) -> None:
    await laws.the_balance_is_the_ledgers_when_the_process_dies(real, database)


class KeepsTheOldBalance(PostgresUnit):
    """Writes the ledger alone; `later` are the balances that are still to be written."""

    def __init__(self, connection: AsyncConnection, cache: ProgrammeCache, to_message: object) -> None:
        super().__init__(connection, cache, message_of)
        self.later: dict[UUID, tuple[int, int]] = {}
        self._before: dict[UUID, tuple[int, int]] = {}

    async def lock(self, owners: Sequence[Owner], *, open_missing: bool) -> dict[Owner, Passbook]:
        locked = await super().lock(owners, open_missing=open_missing)
        for passbook in locked.values():
            account = passbook.account
            self._before[account.account_id] = (account.spendable, account.debt)
        return locked

    async def write(self, writing: Writing) -> None:
        for account in (passbook.account for passbook in writing.passbooks):
            self.later[account.account_id] = (account.spendable, account.debt)
            account.spendable, account.debt = self._before[account.account_id]
        await super().write(writing)


def balance_in_a_transaction_of_its_own(database: Database, on_commit: Callable[[], None]) -> Begin:
    @asynccontextmanager
    async def begin() -> AsyncIterator[PostgresUnit]:
        async with Transactions(database, units(KeepsTheOldBalance), on_commit)() as unit:
            yield unit
        assert isinstance(unit, KeepsTheOldBalance)
        async with database.transaction() as connection:
            for account_id, (spendable, debt) in unit.later.items():
                await connection.execute(
                    text("UPDATE accounts SET spendable = :spendable, debt = :debt WHERE account_id = :id"),
                    {"spendable": spendable, "debt": debt, "id": account_id},
                )

    return begin


async def test_a_balance_outside_the_ledgers_transaction_is_seen(database: Database) -> None:
    with pytest.raises(AssertionError):
        await laws.the_balance_is_the_ledgers_when_the_process_dies(balance_in_a_transaction_of_its_own, database)


async def test_a_purchase_and_its_event_are_one_commit(database: Database) -> None:
    await laws.every_purchase_is_announced(real(database), database)


class ForgetsToAnnounce(PostgresUnit):
    async def write(self, writing: Writing) -> None:
        await super().write(replace(writing, announcements=writing.announcements[1:]))


async def test_a_purchase_without_an_outbox_row_is_seen(database: Database) -> None:
    with pytest.raises(AssertionError):
        await laws.every_purchase_is_announced(Transactions(database, units(ForgetsToAnnounce)), database)
