"""Reverse a redemption: the same lots get their points back, with their own expiry (P5)."""

from __future__ import annotations

from datetime import datetime

from regulars_kit.values import Clock, new_id
from regulars_loyalty.application.accepting import accept, balance_after, check_not_in_the_future, side_effects
from regulars_loyalty.application.answering import first_answer, found_before, in_one_unit
from regulars_loyalty.application.commands import ReverseRedemption
from regulars_loyalty.application.ports import Begin, FactRow, LoyaltyUnit, Passbook, Writing
from regulars_loyalty.application.purchase_rows import Answer
from regulars_loyalty.domain.account import Bucket, Cause, Spend
from regulars_loyalty.domain.announcements import PointsRestored
from regulars_loyalty.domain.facts import PointsRedeemed, RedemptionReversed
from regulars_loyalty.domain.posting import Posting
from regulars_loyalty.domain.refusals import NothingLeftToReverse, UnknownRedemption


async def reverse_redemption(command: ReverseRedemption, begin: Begin, now: Clock) -> Answer:
    """Answer with the points given back, and those of them that were past their date.

    Raises UnknownRedemption, and NothingLeftToReverse for more points than are left of it.
    """

    async def work(unit: LoyaltyUnit) -> Answer:
        redemption = await unit.fact(command.redemption_id)
        if redemption is None or not isinstance(redemption.fact, PointsRedeemed) or redemption.account_id is None:
            raise UnknownRedemption("there is no such redemption")
        passbook = await unit.lock_account(redemption.account_id)
        again = await found_before(unit, command.request)
        return again or await _reverse(unit, command, redemption.fact, passbook, now())

    return await in_one_unit(begin, work)


async def _reverse(
    unit: LoyaltyUnit, command: ReverseRedemption, redeemed: PointsRedeemed, passbook: Passbook, now: datetime
) -> Answer:
    check_not_in_the_future(command.request.occurred_at, now)
    await unit.load_lots(passbook)
    await unit.load_spends(passbook, [redeemed.fact_id])
    left = passbook.account.spends[redeemed.fact_id].left
    points = left if command.points is None else command.points
    if left == 0 or points > left:
        raise NothingLeftToReverse(f"{left} points of this redemption are left to reverse", field="/points")
    at = max(command.request.occurred_at, redeemed.at)
    fact = RedemptionReversed(new_id(), at, redeemed.fact_id, points)
    programme = (await unit.programmes()).named(passbook.owner.programme)
    tier_before = passbook.account.tier
    postings, _ = await accept(unit, passbook, fact, programme, now)
    expired = _expired_at_once(postings, fact, passbook.account.spends[redeemed.fact_id])
    body = {
        "reversal_id": str(fact.fact_id),
        "redemption_id": str(redeemed.fact_id),
        "restored": points,
        "expired": expired,
        "balance": passbook.account.balance,
    }
    first = first_answer(fact.fact_id, command.request, body)
    row = FactRow(fact, passbook.account.account_id, passbook.fact_no, first, now)
    said = [_restored(fact, expired, passbook), *side_effects(passbook, fact, postings, tier_before, at)]
    await unit.write(Writing(passbooks=[passbook], facts=[row], announcements=said))
    return Answer(first.answer, is_replayed=False)


def _expired_at_once(postings: list[Posting], fact: RedemptionReversed, spend: Spend) -> int:
    """Of the points given back, those past their date. The rest of a lot that ends at this very instant is none."""
    lots = {lot_id for lot_id, _ in spend.slices}
    expired = sum(
        posting.points
        for posting in postings
        if posting.cause is Cause.EXPIRY
        and posting.target is Bucket.EXPIRED
        and posting.at == fact.at
        and posting.lot_id in lots
    )
    return min(expired, fact.points)


def _restored(fact: RedemptionReversed, expired: int, passbook: Passbook) -> PointsRestored:
    owner = passbook.owner
    return PointsRestored(
        fact.redemption_id,
        owner.customer_id,
        owner.programme,
        owner.wallet,
        fact.points,
        expired,
        fact.at,
        balance_after(passbook),
    )
