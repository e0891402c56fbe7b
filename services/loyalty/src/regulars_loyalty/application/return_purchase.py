"""Take goods of one purchase back: exactly what their lines earned, and what was paid for them in points (P6)."""

from __future__ import annotations

from datetime import datetime

from regulars_kit.values import Clock, value
from regulars_loyalty.application.accepting import accept, balance_after, check_not_in_the_future, side_effects
from regulars_loyalty.application.answering import first_answer, found_before, in_one_unit, purchase_for
from regulars_loyalty.application.commands import ReturnPurchase
from regulars_loyalty.application.ports import (
    Begin,
    FactRow,
    LoyaltyUnit,
    Passbook,
    Raced,
    StoredPurchase,
    Writing,
)
from regulars_loyalty.application.purchase_rows import Answer
from regulars_loyalty.domain import announcements
from regulars_loyalty.domain.account import LineTaking
from regulars_loyalty.domain.announcements import Announcement
from regulars_loyalty.domain.calendar import local_day
from regulars_loyalty.domain.facts import PurchaseReturned
from regulars_loyalty.domain.programme import Programme
from regulars_loyalty.domain.purchase import Purchase
from regulars_loyalty.domain.returning import cost_taken, shares_of, take


@value
class _Done:
    """A return as it was folded."""

    takings: list[LineTaking]
    passbook: Passbook | None
    is_late: bool
    said: list[Announcement]


async def return_purchase(command: ReturnPurchase, begin: Begin, now: Clock) -> Answer:
    """Answer with the points taken back per line and given back. Raises NothingLeftToReturn, UnknownLine.

    The same `return_id` again gets the first answer; with other content IdempotencyKeyConflict.
    """

    async def work(unit: LoyaltyUnit) -> Answer:
        stored, passbook = await _lock(unit, command)
        again = await found_before(unit, command.request, command.return_id)
        return again or await _return(unit, command, stored, passbook, now())

    return await in_one_unit(begin, work)


async def _lock(unit: LoyaltyUnit, command: ReturnPurchase) -> tuple[StoredPurchase, Passbook | None]:
    """Lock the account the purchase belongs to, then the purchase. Raises UnknownPurchase, StoreNotAllowed."""
    seen = await purchase_for(unit, command.request, command.purchase_id, command.store)
    passbook = await unit.lock_account(seen.row.account_id) if seen.row.account_id else None
    stored = await unit.purchase(command.purchase_id, for_update=True)
    if stored is None or stored.row.account_id != seen.row.account_id:
        raise Raced  # it was claimed in between
    return stored, passbook


async def _return(
    unit: LoyaltyUnit, command: ReturnPurchase, stored: StoredPurchase, passbook: Passbook | None, now: datetime
) -> Answer:
    check_not_in_the_future(command.request.occurred_at, now)
    shares = shares_of(stored.row.purchase, stored.bought, command.lines)
    # Goods cannot come back before they were sold, whatever a till's clock says.
    at = max(command.request.occurred_at, stored.row.purchase.occurred_at)
    fact = PurchaseReturned(command.return_id, at, shares)
    programme = (await unit.programmes()).named(stored.row.programme)
    done = await _fold(unit, fact, stored, passbook, programme, now)
    body = _answer(command, stored, done)
    first = first_answer(command.return_id, command.request, body)
    if not command.request.dry_run:
        told = _announcement(command, stored, fact, programme, done)
        await unit.write(
            Writing(
                passbooks=[passbook] if passbook else [],
                facts=[
                    FactRow(
                        fact,
                        passbook.account.account_id if passbook else None,
                        passbook.fact_no if passbook else None,
                        first,
                        now,
                        purchase_id=command.purchase_id,
                        details={"store": command.store} if command.store else {},
                        told=(told,),
                    )
                ],
                returned=[passbook.account.bought[command.purchase_id] if passbook else stored.bought],
                announcements=[told, *done.said],
            )
        )
    return Answer(first.answer, is_replayed=False)


async def _fold(
    unit: LoyaltyUnit,
    fact: PurchaseReturned,
    stored: StoredPurchase,
    passbook: Passbook | None,
    programme: Programme,
    now: datetime,
) -> _Done:
    if passbook is None:
        return _Done([take(stored.bought, share.line, share.share) for share in fact.shares], None, False, [])
    passbook.account.bought[stored.bought.purchase_id] = stored.bought
    tier_before = passbook.account.tier
    postings, is_late = await accept(unit, passbook, fact, programme, now)
    said = side_effects(passbook, fact, postings, tier_before, fact.at)
    return _Done(passbook.account.takings[fact.fact_id], passbook, is_late, said)


def _answer(command: ReturnPurchase, stored: StoredPurchase, done: _Done) -> dict[str, object]:
    lines = stored.row.purchase.lines
    return {
        "return_id": str(command.return_id),
        "lines": [{"line_id": lines[taking.line].line_id, "points": taking.points} for taking in done.takings],
        "taken_back": sum(taking.points for taking in done.takings),
        "restored": sum(taking.paid for taking in done.takings),
        "balance": done.passbook.account.balance if done.passbook else None,
    }


def _announcement(
    command: ReturnPurchase, stored: StoredPurchase, fact: PurchaseReturned, programme: Programme, done: _Done
) -> announcements.PurchaseReturned:
    row = stored.row
    lines = zip(fact.shares, done.takings, strict=True)
    return announcements.PurchaseReturned(
        return_id=command.return_id,
        purchase_id=command.purchase_id,
        purchase_day=row.purchase.receipt.business_date,
        customer_id=row.customer_id,
        programme=row.programme,
        wallet=programme.wallet,
        business_date=local_day(fact.at, programme.at(fact.at).zone),
        occurred_at=fact.at,
        currency=row.purchase.currency,
        lines=tuple(
            _returned_line(row.purchase, taking, int(share.share * _quantity(row.purchase, taking)))
            for share, taking in lines
        ),
        taken_back=sum(taking.points for taking in done.takings),
        restored=sum(taking.paid for taking in done.takings),
        is_void=command.is_void,
        flags=(),
        balance=balance_after(done.passbook) if done.passbook else None,
        is_late=done.is_late,
    )


def _quantity(purchase: Purchase, taking: LineTaking) -> int:
    return purchase.lines[taking.line].quantity_milli


def _returned_line(purchase: Purchase, taking: LineTaking, quantity_milli: int) -> announcements.ReturnedLine:
    line = purchase.lines[taking.line]
    return announcements.ReturnedLine(
        line.line_id, line.sku, quantity_milli, taking.net_minor, taking.points, cost_taken(line, taking)
    )
