"""Laws of the service on PostgreSQL that a quiet bug would break, to be tried on the real unit and on planted ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text

from builders import ANNA, a_purchase
from loyalty.books import books, check_books
from loyalty.desk import Desk
from regulars_contracts.envelope import parse
from regulars_kit.db import Database
from regulars_loyalty.application.ports import Begin, FirstPurchase, LoyaltyUnit, Owner
from regulars_loyalty.domain.purchase import Receipt

MakeBegin = Callable[[Database, Callable[[], None]], Begin]
"""Units on a database; what is called after each commit."""


class Died(Exception):
    """The process was killed here."""


def live_on() -> None:
    """After a commit, nothing happens."""


class Meeting:
    """Lets nobody pass until as many have come as are expected."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._everybody_is_here = asyncio.Event()

    async def wait(self) -> None:
        self._expected -= 1
        if self._expected <= 0:
            self._everybody_is_here.set()
        await self._everybody_is_here.wait()


async def one_receipt_is_one_purchase(begin: Begin, database: Database) -> None:
    """Two tills send the same receipt; each has looked for the other's purchase before either stores its own."""
    desk = Desk(meeting_after_the_look(begin, Meeting(2)))
    first = a_purchase(1999)
    twin = replace(a_purchase(1999), receipt=first.receipt)
    await asyncio.gather(*(desk.record(desk.command(each, shopper=None)) for each in (first, twin)))
    async with database.transaction() as connection:
        stored = await connection.scalar(text("SELECT count(*) FROM purchases"))
    assert stored == 1, f"{stored} purchases have one receipt"


async def the_balance_is_the_ledgers_when_the_process_dies(make_begin: MakeBegin, database: Database) -> None:
    """Every commit is the last thing the process did; afterwards the books are opened again."""

    def die() -> None:
        raise Died

    dying = Desk(make_begin(database, die))
    for total in (5000, 3000):
        with pytest.raises(Died):
            await dying.sell(total)
    async with make_begin(database, live_on)() as unit:
        (passbook,) = (await unit.lock([Owner(ANNA, "club", "points")], open_missing=False)).values()
        account = passbook.account
        postings = await unit.postings_of(account.account_id, limit=100, after_seq=0)
    assert passbook.seq == len(postings) == 2
    check_books(books(posting.move for posting in postings), account.spendable, account.debt)


async def every_purchase_is_announced(begin: Begin, database: Database) -> None:
    """Each purchase has its one event, in the outbox as soon as it is stored."""
    desk = Desk(begin)
    sold = {(await desk.sell(total)).purchase_id for total in (1000, 2000)}
    async with database.transaction() as connection:
        bodies = await connection.scalars(text("SELECT body FROM outbox WHERE type LIKE 'loyalty.purchase_recorded%'"))
        told = [UUID(str(parse(bytes(body)).data["purchase_id"])) for body in bodies]
    assert sorted(told) == sorted(sold)


def meeting_after_the_look(begin: Begin, meeting: Meeting) -> Begin:
    """The same units, which wait for each other once they have looked for a purchase's twins."""

    @asynccontextmanager
    async def begin_and_meet() -> AsyncIterator[LoyaltyUnit]:
        async with begin() as unit:
            look = unit.firsts

            async def look_and_meet(
                ids: Sequence[UUID], keys: Sequence[tuple[str, str]], receipts: Sequence[Receipt]
            ) -> Sequence[FirstPurchase]:
                found = await look(ids, keys, receipts)
                await meeting.wait()
                return found

            unit.firsts = look_and_meet  # type: ignore[method-assign, assignment]
            yield unit

    return begin_and_meet
