"""What every database says of the past: the real one, and the one in memory that passes for it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from builders import a_purchase, an_id, local
from loyalty.desk import NOW, Desk
from loyalty.units import check_ledger, passbook_of
from regulars_loyalty.domain.account import Spend
from regulars_loyalty.domain.facts import PointsRedeemed, PurchaseMade
from regulars_loyalty.domain.returning import LineWanted


async def test_history_stands_in_business_time_and_remembers_when_it_was_known(desk: Desk) -> None:
    await desk.publish()
    newer = await desk.sell(5000, when="2026-02-10 12:00")
    spent = await desk.redeem(10, when="2026-02-11 12:00")
    desk.now += timedelta(days=1)
    late = await desk.sell(2000, when="2026-02-09 12:00")
    back = await desk.give_back(late.purchase_id, when="2026-02-12 12:00")
    async with desk.begin() as unit:
        account_id = (await passbook_of(unit)).account.account_id
        whole = await unit.history(account_id, until=None, known_at=None)
        early = await unit.history(account_id, until=local("2026-02-10 12:00"), known_at=None)
        known = await unit.history(account_id, until=None, known_at=NOW)
    ids = [UUID(spent["redemption_id"]), UUID(back["return_id"])]
    assert [fact.fact_id for fact in whole.facts] == [late.purchase_id, newer.purchase_id, *ids]
    assert [fact.fact_id for fact in early.facts] == [late.purchase_id, newer.purchase_id]
    assert [fact.fact_id for fact in known.facts] == [newer.purchase_id, ids[0]]
    sale = whole.facts[0]
    assert isinstance(sale, PurchaseMade)
    assert sale.price is not None
    assert (sale.purchase, sale.version, sale.price.earned) == (late, 1, 20)
    assert isinstance(whole.facts[2], PointsRedeemed)
    await check_ledger(desk)


async def test_what_was_spent_is_known_with_its_lots_and_what_came_back(desk: Desk) -> None:
    await desk.publish(expires={"after": "P12M"})
    first = await desk.sell(3000, when="2026-01-10 12:00")
    second = await desk.sell(3000, when="2026-01-11 12:00")
    spent = UUID((await desk.redeem(50, when="2026-01-12 12:00"))["redemption_id"])
    await desk.reverse(spent, 15, when="2026-01-13 12:00")
    tender = await desk.sell(1000, when="2026-01-14 12:00", paid_in_points_minor=20)
    await desk.give_back(tender.purchase_id, LineWanted("1", 500), when="2026-01-15 12:00")
    async with desk.begin() as unit:
        passbook = await passbook_of(unit)
        await unit.load_spends(passbook, [spent, tender.purchase_id])
        assert passbook.account.spends == {
            spent: Spend([(first.purchase_id, 30), (second.purchase_id, 20)], 15),
            tender.purchase_id: Spend([(second.purchase_id, 20)], 10),
        }
        assert passbook.account.lots.keys() == {first.purchase_id, second.purchase_id}
        assert await unit.spend(an_id()) is None
    await check_ledger(desk)


async def test_a_late_fact_changes_what_was_spent_and_the_ledger_follows(desk: Desk) -> None:
    await desk.publish(expires={"after": "P6M"})
    later = await desk.sell(5000, when="2026-02-01 12:00")
    spent = UUID((await desk.redeem(40, when="2026-02-02 12:00"))["redemption_id"])
    sooner = await desk.sell(3000, when="2026-01-01 12:00")
    async with desk.begin() as unit:
        spend = await unit.spend(spent)
        assert spend == Spend([(sooner.purchase_id, 30), (later.purchase_id, 10)], 0)
        passbook = await passbook_of(unit)
        assert (await unit.posting(passbook.account.account_id, 3)) is not None
        assert (await unit.posting(passbook.account.account_id, 99)) is None
        moved = await unit.postings_of_lot(sooner.purchase_id)
        assert [posting.late_fact_id for posting in moved] == [sooner.purchase_id] * 2
    await check_ledger(desk)


async def test_a_late_receipt_re_rates_what_is_stored_and_what_comes_with_it(desk: Desk) -> None:
    rules = [{"code": "welcome", "when": {"first_purchase": True}, "bonus": 50}]
    await desk.publish(rules=rules, policies={"late": "re-rate"})
    stored = await desk.sell(1000, when="2026-02-03 12:00")
    batch = [a_purchase(1000, when="2026-02-02 12:00"), a_purchase(1000, when="2026-02-01 12:00")]
    await desk.record(*(desk.command(each) for each in batch))
    async with desk.begin() as unit:
        rows = [await unit.purchase(each.purchase_id) for each in (stored, *batch)]
        earned = [
            (row.bought.price.earned, row.bought.price.visit, row.bought.price.line_points) for row in rows if row
        ]
    assert earned == [(10, 3, (10,)), (10, 2, (10,)), (60, 1, (60,))]
    assert (await desk.wallet())["balance"] == 80
    await check_ledger(desk)
