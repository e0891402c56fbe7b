"""What tests ask of a unit of work: Anna's account in it, and whether its books are sound."""

from __future__ import annotations

from builders import ANNA, BEN
from loyalty.books import books, check_books
from loyalty.desk import Desk
from regulars_loyalty.application.ports import LoyaltyUnit, Owner, Passbook
from regulars_loyalty.domain.late import net

OWNER = Owner(ANNA, "club", "points")
BENS = Owner(BEN, "club", "points")


async def passbook_of(unit: LoyaltyUnit, owner: Owner = OWNER) -> Passbook:
    return (await unit.lock([owner], open_missing=False))[owner]


async def check_ledger(desk: Desk) -> None:
    """The account's row, its lots and its history say what its postings add up to; the chain has no gap."""
    async with desk.begin() as unit:
        passbook = await passbook_of(unit)
        account = passbook.account
        postings = await unit.postings_of(account.account_id, limit=1000, after_seq=0)
        history = await unit.history(account.account_id, until=None, known_at=None)
        await unit.load_lots(passbook)
    assert [posting.account_seq for posting in postings] == list(range(1, passbook.seq + 1))
    assert postings[-1].hash == passbook.head
    check_books(books(posting.move for posting in postings), account.spendable, account.debt)
    assert sum(lot.remaining for lot in account.lots.values()) == account.spendable
    assert history.posted == net(posting.move for posting in postings)
