"""An account rebuilt from the database: its facts, its lots, what was spent, on real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from builders import ANNA, TIERS, an_id, lines_of, local
from loyalty.db_rig import Rig
from regulars_loyalty.application.ports import LoyaltyUnit, Passbook
from regulars_loyalty.domain.account import Cause
from regulars_loyalty.domain.facts import (
    PointsAdjusted,
    PointsRedeemed,
    PurchaseMade,
    PurchaseReturned,
    RedemptionReversed,
    ReturnedShare,
)
from regulars_loyalty.domain.late import net
from regulars_loyalty.domain.returning import LineWanted

if TYPE_CHECKING:
    from conftest import FreshDatabase


@pytest.fixture
async def rig(fresh_database: FreshDatabase) -> AsyncIterator[Rig]:
    rig = Rig(await fresh_database("regulars_loyalty"))
    yield rig
    await rig.close()


async def annas(unit: LoyaltyUnit) -> Passbook:
    (passbook,) = await unit.accounts_of(ANNA)
    return passbook


async def test_every_kind_of_fact_comes_back_as_it_happened(rig: Rig) -> None:
    await rig.publish()
    purchase = await rig.sell(lines=lines_of(10_000, 5_000), when="2026-02-01 10:00")
    redemption = await rig.redeem(60, "2026-02-02 10:00")
    await rig.reverse(redemption, 25, "2026-02-03 10:00")
    await rig.adjust(30, "2026-02-04 10:00", until="2026-03-01")
    await rig.adjust(-10, "2026-02-05 10:00")
    await rig.give_back(purchase, "2026-02-06 10:00", LineWanted("2", net_minor=1_000))
    async with rig.begin() as unit:
        passbook = await annas(unit)
        history = await unit.history(passbook.account.account_id, until=None, known_at=None)
        postings = await unit.postings_of(passbook.account.account_id, limit=100, after_seq=0)
    made, redeemed, undone, given, taken, returned = history.facts
    assert isinstance(made, PurchaseMade)
    assert (made.purchase, made.version, made.at) == (purchase, 1, purchase.occurred_at)
    assert made.price is not None
    assert (made.price.earned, made.price.line_points, made.price.line_credits) == (150, (100, 50), (100, 50))
    redemption_id = UUID(redemption["redemption_id"])
    assert redeemed == PointsRedeemed(redemption_id, local("2026-02-02 10:00"), 60)
    assert undone == RedemptionReversed(undone.fact_id, local("2026-02-03 10:00"), redemption_id, 25)
    assert given == PointsAdjusted(given.fact_id, local("2026-02-04 10:00"), 30, local("2026-03-01"))
    assert taken == PointsAdjusted(taken.fact_id, local("2026-02-05 10:00"), -10, None)
    share = ReturnedShare(purchase.purchase_id, 1, Fraction(1, 5))
    assert returned == PurchaseReturned(returned.fact_id, local("2026-02-06 10:00"), (share,))
    assert history.posted == net(posting.move for posting in postings)


async def test_a_fact_comes_back_with_its_answer_and_its_details(rig: Rig) -> None:
    await rig.publish()
    await rig.adjust(30, "2026-02-04 10:00")
    async with rig.begin() as unit:
        (fact,) = (await unit.history((await annas(unit)).account.account_id, until=None, known_at=None)).facts
        row = await unit.fact(fact.fact_id)
        assert row is not None
        assert await unit.first_answer(fact.fact_id, "nobody", None) == row.first
        assert await unit.first_answer(None, row.first.client, row.first.idempotency_key) == row.first
        assert await unit.first_answer(None, "till-2", row.first.idempotency_key) is None
        assert await unit.fact(an_id()) is None
    assert (row.fact, row.details) == (fact, {"reason": "sorry", "operator": "olga"})


async def test_a_history_ends_where_it_is_asked_to_in_both_times(rig: Rig) -> None:
    await rig.publish()
    rig.now = local("2026-02-10 20:00")
    await rig.sell(when="2026-02-10 10:00")
    await rig.redeem(5, "2026-02-10 12:00")
    rig.now = local("2026-02-11 20:00")
    await rig.sell(when="2026-02-10 11:00")
    async with rig.begin() as unit:
        account_id = (await annas(unit)).account.account_id

        async def told(until: str | None, known_at: str | None) -> list[str]:
            ends = [local(text) if text else None for text in (until, known_at)]
            facts = (await unit.history(account_id, until=ends[0], known_at=ends[1])).facts
            return [f"{fact.at.astimezone(local('2026-02-10').tzinfo):%H}" for fact in facts]

        assert await told(None, None) == ["09", "10", "11"]
        assert await told("2026-02-10 11:00", None) == ["09", "10"]
        assert await told(None, "2026-02-10 23:00") == ["09", "11"]
        assert await told("2026-02-10 11:59", "2026-02-10 23:00") == ["09"]


@pytest.mark.parametrize(("late", "has_lines"), [("no-rerate", False), ("re-rate", True)])
async def test_lines_come_along_only_where_the_fold_may_ask_for_them(rig: Rig, late: str, has_lines: bool) -> None:
    await rig.publish(policies={"late": late})
    plain = await rig.sell(when="2026-02-10 10:00")
    seen = await rig.sell(when="2026-02-10 11:00")
    back = await rig.sell(when="2026-02-10 12:00")
    await rig.give_back(back, "2026-02-10 13:00")
    async with rig.begin() as unit:
        await unit.purchase(seen.purchase_id)
        history = await unit.history((await annas(unit)).account.account_id, until=None, known_at=None)
    lines = {fact.fact_id: fact.purchase.lines for fact in history.facts if isinstance(fact, PurchaseMade)}
    assert bool(lines[plain.purchase_id]) is has_lines
    assert lines[seen.purchase_id] == seen.lines
    assert lines[back.purchase_id] == back.lines


async def test_a_late_return_finds_the_lines_it_needs(rig: Rig) -> None:
    await rig.publish()
    purchase = await rig.sell(10_000, when="2026-02-10 10:00")
    await rig.redeem(30, "2026-02-10 14:00")
    answer = await rig.give_back(purchase, "2026-02-10 12:00")
    assert (answer["taken_back"], answer["balance"]) == (100, -30)


async def test_what_was_spent_is_known_in_the_order_of_spending_whatever_came_late(rig: Rig) -> None:
    await rig.publish(expires={"after": "P12M"})
    await rig.sell(5_000, when="2026-01-10 10:00")
    await rig.sell(5_000, when="2026-01-12 10:00")
    redemption = await rig.redeem(80, "2026-02-01 10:00")
    first, second = (UUID(lot["lot_id"]) for lot in redemption["lots"])
    earliest = await rig.sell(3_000, when="2026-01-05 10:00")
    await rig.reverse(redemption, 10, "2026-02-02 10:00")
    async with rig.begin() as unit:
        spend = await unit.spend(UUID(redemption["redemption_id"]))
        passbook = await annas(unit)
        await unit.load_spends(passbook, [UUID(redemption["redemption_id"])])
    assert spend is not None
    assert spend.slices == [(earliest.purchase_id, 30), (first, 50)]
    assert (spend.restored, spend.left) == (10, 70)
    assert passbook.account.spends == {UUID(redemption["redemption_id"]): spend}
    assert passbook.account.lots.keys() == {earliest.purchase_id, first}
    assert second not in passbook.account.lots


async def test_points_paid_for_a_purchase_come_back_with_its_lines(rig: Rig) -> None:
    await rig.publish()
    await rig.sell(20_000, when="2026-02-10 10:00")
    paying = await rig.sell(lines=lines_of(600, 400), when="2026-02-10 11:00", paid_in_points_minor=100)
    answer = await rig.give_back(paying, "2026-02-10 12:00", LineWanted("1"))
    assert answer["restored"] == 60
    async with rig.begin() as unit:
        spend = await unit.spend(paying.purchase_id)
        assert await unit.spend(an_id()) is None
    assert spend is not None
    assert (sum(points for _, points in spend.slices), spend.restored) == (100, 60)
    assert (await rig.give_back(paying, "2026-02-10 13:00"))["restored"] == 40


async def test_a_lot_that_a_late_receipt_undoes_is_empty(rig: Rig) -> None:
    """With the second sale a visit earlier, the first one's bonus is not there any more (re-rate)."""
    bonus = {"code": "welcome", "when": {"first_purchase": True}, "bonus": 50}
    await rig.publish(policies={"late": "re-rate"}, rules=[bonus])
    first = await rig.sell(10, when="2026-02-10 12:00")
    await rig.sell(10, when="2026-02-10 10:00")
    async with rig.begin() as unit:
        account_id = (await annas(unit)).account.account_id
        lots = {lot.lot_id: (lot.issued, lot.remaining) for lot in await unit.lots_of(account_id, limit=9, after=None)}
        stored = await unit.purchase(first.purchase_id)
    assert lots.pop(first.purchase_id) == (0, 0)
    assert list(lots.values()) == [(50, 50)]
    assert stored is not None
    assert (stored.row.earned, stored.row.line_points, stored.row.visit) == (0, (0,), 2)


async def test_lots_and_postings_are_read_page_by_page(rig: Rig) -> None:
    await rig.publish()
    sold = [await rig.sell(when=f"2026-02-10 {hour}:00") for hour in (10, 11, 12)]
    async with rig.begin() as unit:
        account_id = (await annas(unit)).account.account_id
        lots = list(await unit.lots_of(account_id, limit=2, after=None))
        lots += await unit.lots_of(account_id, limit=2, after=lots[-1].lot_id)
        postings = await unit.postings_of(account_id, limit=5, after_seq=1)
        of_lot = await unit.postings_of_lot(sold[0].purchase_id)
        assert await unit.posting(account_id, 2) == postings[0]
        assert await unit.posting(account_id, 4) is None
    assert [lot.lot_id for lot in lots] == [each.purchase_id for each in sold]
    assert [posting.account_seq for posting in postings] == [2, 3]
    assert [posting.cause for posting in of_lot] == [Cause.PURCHASE]


async def test_accounts_are_due_when_time_alone_changes_them_and_they_are_quiet(rig: Rig) -> None:
    await rig.publish(expires={"after": "P1M"})
    await rig.sell(when="2026-02-10 10:00")
    async with rig.begin() as unit:
        account_id = (await annas(unit)).account.account_id
        ends, later = local("2026-03-11"), rig.now + timedelta(minutes=1)
        assert await unit.due_accounts(ends, later, 10) == [account_id]
        assert await unit.due_accounts(ends - timedelta(seconds=1), later, 10) == []
        assert await unit.due_accounts(ends, rig.now, 10) == []


async def test_totals_say_what_became_of_every_point(rig: Rig) -> None:
    await rig.publish(policies={"debt": "clamp"}, tiers=TIERS)
    purchase = await rig.sell(20_000, when="2026-02-10 10:00")
    await rig.redeem(180, "2026-02-10 11:00")
    await rig.adjust(5, "2026-02-10 11:30")
    await rig.give_back(purchase, "2026-02-10 12:00")
    async with rig.begin() as unit:
        totals = await unit.totals("club")
        nothing = await unit.totals("another")
    assert (totals.issued, totals.redeemed, totals.clawed_back, totals.written_off) == (205, 180, 200, 175)
    assert (totals.spendable, totals.debt, totals.accounts, totals.tiers) == (0, 0, 1, {"base": 1})
    assert (nothing.issued, nothing.accounts, nothing.tiers) == (0, 0, {})
