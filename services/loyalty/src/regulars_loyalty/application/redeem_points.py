"""Redeem points: the soonest to expire go first (P3)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from regulars_kit.values import Clock, new_id
from regulars_loyalty.application.accepting import accept, balance_after, check_not_in_the_future, side_effects
from regulars_loyalty.application.answering import first_answer, found_before, in_one_unit, known_customer
from regulars_loyalty.application.commands import RedeemPoints
from regulars_loyalty.application.ports import Begin, FactRow, LoyaltyUnit, Owner, Passbook, Writing
from regulars_loyalty.application.purchase_rows import Answer
from regulars_loyalty.domain.announcements import PointsSpent
from regulars_loyalty.domain.facts import PointsRedeemed
from regulars_loyalty.domain.programme import Programme
from regulars_loyalty.domain.refusals import UnknownCustomer


async def redeem_points(command: RedeemPoints, begin: Begin, now: Clock) -> Answer:
    """Answer with the lots that gave the points, and the balance. Raises UnknownCustomer, InsufficientPoints."""

    async def work(unit: LoyaltyUnit) -> Answer:
        customer_id = await known_customer(unit, command.shopper)
        programme = (await unit.programmes()).default(command.programme)
        passbook = await lock_existing(unit, customer_id, programme, command.wallet)
        again = await found_before(unit, command.request)
        return again or await _redeem(unit, command, programme, passbook, now())

    return await in_one_unit(begin, work)


async def lock_existing(unit: LoyaltyUnit, customer_id: UUID, programme: Programme, wallet: str | None) -> Passbook:
    """Lock a customer's account. Raises UnknownCustomer where there is none: points cannot be spent from nothing."""
    owner = Owner(customer_id, programme.code, wallet or programme.wallet)
    locked = await unit.lock([owner], open_missing=False)
    if owner not in locked:
        raise UnknownCustomer("this customer has no account in the programme; it opens with the first purchase")
    return locked[owner]


async def _redeem(
    unit: LoyaltyUnit, command: RedeemPoints, programme: Programme, passbook: Passbook, now: datetime
) -> Answer:
    check_not_in_the_future(command.request.occurred_at, now)
    fact = PointsRedeemed(new_id(), command.request.occurred_at, command.points)
    tier_before = passbook.account.tier
    postings, _ = await accept(unit, passbook, fact, programme, now)
    account, owner = passbook.account, passbook.owner
    body = {
        "redemption_id": str(fact.fact_id),
        "lots": [
            {"lot_id": str(lot_id), "points": points}
            for lot_id, points in account.spends[fact.fact_id].slices
            if lot_id is not None
        ],
        "balance": account.balance,
    }
    first = first_answer(fact.fact_id, command.request, body)
    spent = PointsSpent(
        fact.fact_id,
        owner.customer_id,
        owner.programme,
        owner.wallet,
        command.points,
        fact.at,
        balance_after(passbook),
    )
    row = FactRow(fact, account.account_id, passbook.fact_no, first, now)
    said = [spent, *side_effects(passbook, fact, postings, tier_before, fact.at)]
    await unit.write(Writing(passbooks=[passbook], facts=[row], announcements=said))
    return Answer(first.answer, is_replayed=False)
