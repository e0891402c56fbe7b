"""Give goodwill or correct a balance: an operator's doing, with a reason."""

from __future__ import annotations

from datetime import datetime

from regulars_kit.values import Clock, new_id
from regulars_loyalty.application.accepting import (
    accept,
    balance_after,
    check_not_in_the_future,
    owner_of,
    side_effects,
)
from regulars_loyalty.application.answering import first_answer, found_before, in_one_unit
from regulars_loyalty.application.commands import AdjustPoints
from regulars_loyalty.application.ports import Begin, FactRow, LoyaltyUnit, Passbook, Writing
from regulars_loyalty.application.purchase_rows import Answer
from regulars_loyalty.application.redeem_points import lock_existing
from regulars_loyalty.domain import announcements
from regulars_loyalty.domain.facts import PointsAdjusted
from regulars_loyalty.domain.pricing import lot_end
from regulars_loyalty.domain.programme import Programme
from regulars_loyalty.domain.refusals import ExpiresTooEarly, UnknownProgramme


async def adjust_points(command: AdjustPoints, begin: Begin, now: Clock) -> Answer:
    """Answer with the balance. A positive adjustment opens the account where there is none.

    Raises UnknownCustomer and InsufficientPoints for a negative one.
    """

    async def work(unit: LoyaltyUnit) -> Answer:
        programme = (await unit.programmes()).default(command.programme)
        passbook = await _lock(unit, command, programme)
        again = await found_before(unit, command.request)
        return again or await _adjust(unit, command, programme, passbook, now())

    return await in_one_unit(begin, work)


async def _lock(unit: LoyaltyUnit, command: AdjustPoints, programme: Programme) -> Passbook:
    if command.points < 0:
        return await lock_existing(unit, command.customer_id, programme, command.wallet)
    if command.wallet not in (None, programme.wallet):
        raise UnknownProgramme("the programme has no such wallet", field="/wallet")
    owner = owner_of(command.customer_id, programme)
    return (await unit.lock([owner], open_missing=True))[owner]


async def _adjust(
    unit: LoyaltyUnit, command: AdjustPoints, programme: Programme, passbook: Passbook, now: datetime
) -> Answer:
    check_not_in_the_future(command.request.occurred_at, now)
    fact = _fact(command, programme)
    tier_before = passbook.account.tier
    postings, _ = await accept(unit, passbook, fact, programme, now)
    body = {"adjustment_id": str(fact.fact_id), "points": fact.points, "balance": passbook.account.balance}
    first = first_answer(fact.fact_id, command.request, body)
    row = FactRow(
        fact,
        passbook.account.account_id,
        passbook.fact_no,
        first,
        now,
        details={"reason": command.reason, "operator": command.operator},
    )
    said = [_announcement(fact, passbook), *side_effects(passbook, fact, postings, tier_before, fact.at)]
    await unit.write(Writing(passbooks=[passbook], facts=[row], announcements=said))
    return Answer(first.answer, is_replayed=False)


def _fact(command: AdjustPoints, programme: Programme) -> PointsAdjusted:
    at = command.request.occurred_at
    if command.points < 0:
        return PointsAdjusted(new_id(), at, command.points, None)
    expires_at = command.expires_at or lot_end(at, programme.at(at))
    if expires_at is not None and expires_at <= at:
        raise ExpiresTooEarly("expires_at must lie after occurred_at", field="/expires_at")
    return PointsAdjusted(new_id(), at, command.points, expires_at)


def _announcement(fact: PointsAdjusted, passbook: Passbook) -> announcements.PointsAdjusted:
    owner = passbook.owner
    return announcements.PointsAdjusted(
        fact.fact_id,
        owner.customer_id,
        owner.programme,
        owner.wallet,
        fact.points,
        fact.expires_at,
        fact.at,
        balance_after(passbook),
    )
