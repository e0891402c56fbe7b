"""Give a purchase that nobody had yet to its customer: it earns at its own time, and its returns follow."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from regulars_kit.values import Clock
from regulars_loyalty.application.accepting import accept, balance_after, owner_of, side_effects, tier_of
from regulars_loyalty.application.answering import first_answer, in_one_unit, known_customer, purchase_for
from regulars_loyalty.application.commands import ClaimPurchase
from regulars_loyalty.application.ports import Begin, LoyaltyUnit, Passbook, PurchaseRow, StoredPurchase, Writing
from regulars_loyalty.application.purchase_rows import Answer
from regulars_loyalty.domain.announcements import Announcement, PurchaseClaimed
from regulars_loyalty.domain.facts import PurchaseMade
from regulars_loyalty.domain.refusals import AlreadyClaimed, UnknownPurchase


async def claim_purchase(command: ClaimPurchase, begin: Begin, now: Clock) -> Answer:
    """Answer with what the purchase earned; again, the same. Raises AlreadyClaimed when it is another customer's."""

    async def work(unit: LoyaltyUnit) -> Answer:
        await purchase_for(unit, command.request, command.purchase_id)
        customer_id = await known_customer(unit, command.shopper)
        passbook, stored = await give(unit, command.purchase_id, customer_id, now())
        row = stored.row
        body = {
            "purchase_id": str(command.purchase_id),
            "customer_id": str(customer_id),
            "tier": row.tier,
            "earned": row.earned,
            "lines": [
                {"line_id": line.line_id, "points": points}
                for line, points in zip(row.purchase.lines, row.line_points, strict=True)
            ],
            "balance": passbook.account.balance,
        }
        return Answer(first_answer(command.purchase_id, command.request, body).answer, is_replayed=False)

    return await in_one_unit(begin, work)


async def give(
    unit: LoyaltyUnit, purchase_id: UUID, customer_id: UUID, now: datetime
) -> tuple[Passbook, StoredPurchase]:
    """Give a purchase to a customer, within the caller's unit; a no-op when it is theirs already."""
    seen = await unit.purchase(purchase_id)
    if seen is None:
        raise UnknownPurchase("there is no such purchase")
    programme = (await unit.programmes()).named(seen.row.programme)
    owner = owner_of(customer_id, programme)
    passbook = (await unit.lock([owner], open_missing=True))[owner]
    stored = await unit.purchase(purchase_id, for_update=True) or seen
    if stored.row.account_id is not None:
        if stored.row.customer_id != customer_id:
            raise AlreadyClaimed("this purchase belongs to another customer")
        return passbook, stored
    row, said = await _fold(unit, passbook, stored, now)
    await unit.write(Writing(passbooks=[passbook], announcements=said))
    return passbook, replace(stored, row=row)


async def _fold(
    unit: LoyaltyUnit, passbook: Passbook, stored: StoredPurchase, now: datetime
) -> tuple[PurchaseRow, list[Announcement]]:
    purchase, owner = stored.row.purchase, passbook.owner
    programme = (await unit.programmes()).named(owner.programme)
    fact = PurchaseMade(purchase.purchase_id, purchase.occurred_at, stored.row.version, purchase, None)
    tier_before = tier_of(passbook, programme.numbered(stored.row.version))
    postings, _ = await accept(unit, passbook, fact, programme, now)
    row = _priced(stored.row, passbook, now)
    numbers, taken_back = [], 0
    for returned in await unit.returns_of(purchase.purchase_id):
        postings += (await accept(unit, passbook, returned, programme, now))[0]
        numbers.append((returned.fact_id, passbook.fact_no))
        taken_back += sum(taking.points for taking in passbook.account.takings[returned.fact_id])
    await unit.claim(row, numbers, passbook.account.account_id, now)
    claimed = PurchaseClaimed(
        purchase,
        owner.customer_id,
        owner.programme,
        owner.wallet,
        row.earned,
        row.tier,
        balance_after(passbook),
        taken_back,
    )
    return row, [claimed, *side_effects(passbook, fact, postings, tier_before, purchase.occurred_at)]


def _priced(row: PurchaseRow, passbook: Passbook, now: datetime) -> PurchaseRow:
    price = passbook.account.bought[row.purchase.purchase_id].price
    return replace(
        row,
        account_id=passbook.account.account_id,
        customer_id=passbook.owner.customer_id,
        fact_no=passbook.fact_no,
        known_at=now,
        earned=price.earned,
        paid=price.paid,
        credit=price.credit,
        tier=price.tier,
        visit=price.visit,
        expires_at=price.expires_at,
        line_points=price.line_points,
    )
