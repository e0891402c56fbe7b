"""Take goods back whose receipt is lost: matched to the customer's own purchases, newest first.

What matches takes back by P6; the rest takes nothing and is flagged, for somebody to look at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from regulars_kit.values import Clock, new_id
from regulars_loyalty.application.accepting import (
    accept,
    balance_after,
    check_not_in_the_future,
    owner_of,
    side_effects,
)
from regulars_loyalty.application.answering import customer_of, first_answer, found_before, in_one_unit
from regulars_loyalty.application.commands import ReturnGoods
from regulars_loyalty.application.ports import Begin, FactRow, LoyaltyUnit, Passbook, StoredPurchase, Writing
from regulars_loyalty.application.purchase_rows import Answer
from regulars_loyalty.domain import announcements
from regulars_loyalty.domain.account import LineTaking
from regulars_loyalty.domain.announcements import Announcement, FlagRaised, ReturnedLine
from regulars_loyalty.domain.facts import PurchaseReturned
from regulars_loyalty.domain.programme import Programme
from regulars_loyalty.domain.refusals import UnknownStore
from regulars_loyalty.domain.returning import GoodsReturned, Match, cost_taken, match, unmatched

UNMATCHED = "unmatched_return"


@dataclass(slots=True)
class _Return:
    """One return on its way: what it may match, what it matched and took, what is left unmatched."""

    command: ReturnGoods
    customer_id: UUID | None
    programme: Programme
    passbook: Passbook | None
    matches: list[Match] = field(default_factory=list)
    takings: list[LineTaking] = field(default_factory=list)
    rest: list[GoodsReturned] = field(default_factory=list)
    candidates: dict[UUID, StoredPurchase] = field(default_factory=dict)
    side_effects: list[Announcement] = field(default_factory=list)
    is_late: bool = False

    @property
    def fact(self) -> PurchaseReturned:
        command = self.command
        shares = tuple(each.share for each in self.matches)
        return PurchaseReturned(command.return_id, command.request.occurred_at, shares)

    def matched(self) -> list[tuple[StoredPurchase, Match, LineTaking]]:
        """What matched, in the order of the request's lines."""
        pairs = zip(self.matches, self.takings, strict=True)
        return [(self.candidates[each.share.purchase_id], each, taking) for each, taking in pairs]


async def return_without_receipt(command: ReturnGoods, begin: Begin, now: Clock) -> Answer:
    """Answer with what each line matched, took back and gave back. The return's receipt is unique among returns."""

    async def work(unit: LoyaltyUnit) -> Answer:
        customer_id = await customer_of(unit, command.shopper)
        programme = await _programme(unit, command)
        passbook = await _lock(unit, customer_id, programme)
        again = await found_before(unit, command.request, command.return_id, command.receipt)
        if again:
            return again
        each = _Return(command, customer_id, programme, passbook)
        return await _return(unit, each, now())

    return await in_one_unit(begin, work)


async def _programme(unit: LoyaltyUnit, command: ReturnGoods) -> Programme:
    programmes = await unit.programmes()
    if command.programme is not None:
        return programmes.named(command.programme)
    programme = programmes.serving(command.receipt.store, command.request.occurred_at)
    if programme is None:
        raise UnknownStore("no programme in force then serves this store; name it in a programme", field="/store")
    return programme


async def _lock(unit: LoyaltyUnit, customer_id: UUID | None, programme: Programme) -> Passbook | None:
    if customer_id is None:
        return None
    owner = owner_of(customer_id, programme)
    return (await unit.lock([owner], open_missing=False)).get(owner)


async def _return(unit: LoyaltyUnit, each: _Return, now: datetime) -> Answer:
    check_not_in_the_future(each.command.request.occurred_at, now)
    await _match(unit, each)
    if each.passbook and each.matches:
        await _fold(unit, each, each.passbook, now)
    first = first_answer(each.command.return_id, each.command.request, _answer(each))
    if not each.command.request.dry_run:
        told = _returned(each)
        folded = each.passbook if each.matches else None
        row = FactRow(
            each.fact,
            folded.account.account_id if folded else None,
            folded.fact_no if folded else None,
            first,
            now,
            receipt=each.command.receipt,
            details={"unmatched": [{"sku": goods.sku, "quantity_milli": goods.quantity_milli} for goods in each.rest]},
            told=tuple(told),
        )
        purchases = {match.share.purchase_id for match in each.matches}
        returned = [folded.account.bought[purchase_id] for purchase_id in sorted(purchases)] if folded else []
        said = [*told, *each.side_effects, *_flags(each)]
        await unit.write(Writing([folded] if folded else [], [], [row], returned, said))
    return Answer(first.answer, is_replayed=False)


async def _match(unit: LoyaltyUnit, each: _Return) -> None:
    command = each.command
    found: Sequence[StoredPurchase] = []
    if each.passbook is not None:
        wanted: Counter[str] = Counter()
        for goods in command.lines:
            wanted[goods.sku] += goods.quantity_milli
        account_id, before = each.passbook.account.account_id, command.request.occurred_at
        found = await unit.purchases_covering(account_id, wanted, command.currency, before)
    each.candidates = {stored.bought.purchase_id: stored for stored in found}
    each.matches = match(command.lines, [(stored.row.purchase, stored.bought) for stored in found])
    each.rest = unmatched(command.lines, each.matches)


async def _fold(unit: LoyaltyUnit, each: _Return, passbook: Passbook, now: datetime) -> None:
    fact = each.fact
    for share in fact.shares:
        passbook.account.bought[share.purchase_id] = each.candidates[share.purchase_id].bought
    tier_before = passbook.account.tier
    postings, each.is_late = await accept(unit, passbook, fact, each.programme, now)
    each.takings = passbook.account.takings[fact.fact_id]
    each.side_effects = side_effects(passbook, fact, postings, tier_before, fact.at)


def _answer(each: _Return) -> dict[str, object]:
    lines: list[dict[str, object]] = [
        {
            "sku": each.command.lines[found.goods].sku,
            "purchase_id": str(stored.bought.purchase_id),
            "line_id": stored.row.purchase.lines[taking.line].line_id,
            "points": taking.points,
        }
        for stored, found, taking in each.matched()
    ]
    lines += [{"sku": goods.sku, "purchase_id": None, "line_id": None, "points": 0} for goods in each.rest]
    return {
        "return_id": str(each.command.return_id),
        "lines": lines,
        "taken_back": sum(taking.points for taking in each.takings),
        "restored": sum(taking.paid for taking in each.takings),
        "balance": each.passbook.account.balance if each.passbook else None,
        "flags": [UNMATCHED] if each.rest else [],
    }


def _returned(each: _Return) -> list[announcements.PurchaseReturned]:
    """One announcement per purchase matched, and one without a purchase for the rest."""
    by_purchase: dict[UUID, list[tuple[Match, LineTaking]]] = {}
    for stored, found, taking in each.matched():
        by_purchase.setdefault(stored.bought.purchase_id, []).append((found, taking))
    said = [_of_purchase(each, each.candidates[purchase_id], pairs) for purchase_id, pairs in by_purchase.items()]
    if each.rest:
        lines = [ReturnedLine(None, goods.sku, goods.quantity_milli, goods.net_minor, 0) for goods in each.rest]
        said.append(_announcement(each, None, lines, []))
    return said


def _of_purchase(
    each: _Return, stored: StoredPurchase, pairs: Sequence[tuple[Match, LineTaking]]
) -> announcements.PurchaseReturned:
    bought_lines = stored.row.purchase.lines
    lines = [
        ReturnedLine(
            bought_lines[taking.line].line_id,
            bought_lines[taking.line].sku,
            int(found.quantity),
            found.net_minor,
            taking.points,
            cost_taken(bought_lines[taking.line], taking),
        )
        for found, taking in pairs
    ]
    return _announcement(each, stored, lines, [taking for _, taking in pairs])


def _announcement(
    each: _Return, stored: StoredPurchase | None, lines: Sequence[ReturnedLine], takings: Sequence[LineTaking]
) -> announcements.PurchaseReturned:
    command = each.command
    return announcements.PurchaseReturned(
        return_id=command.return_id,
        purchase_id=stored.bought.purchase_id if stored else None,
        purchase_day=stored.row.purchase.receipt.business_date if stored else None,
        customer_id=each.customer_id,
        programme=each.programme.code,
        wallet=each.programme.wallet,
        business_date=command.receipt.business_date,
        occurred_at=command.request.occurred_at,
        currency=command.currency,
        lines=tuple(lines),
        taken_back=sum(taking.points for taking in takings),
        restored=sum(taking.paid for taking in takings),
        is_void=False,
        flags=() if stored else (UNMATCHED,),
        balance=balance_after(each.passbook) if each.passbook else None,
        is_late=each.is_late,
    )


def _flags(each: _Return) -> list[Announcement]:
    if not each.rest:
        return []
    command = each.command
    flag = FlagRaised(
        new_id(),
        UNMATCHED,
        command.request.occurred_at,
        each.programme.code,
        each.customer_id,
        command.receipt.store,
        command.receipt.till,
        command.return_id,
    )
    return [flag]
