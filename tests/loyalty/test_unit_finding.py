"""What is found again in every database that units of work run on: the real one, and the one in memory."""

from __future__ import annotations

from datetime import timedelta

from builders import ANNA, BEN, TIERS, a_line, a_purchase, an_id, local
from loyalty.desk import NOW, Desk
from loyalty.units import check_ledger, passbook_of
from regulars_loyalty.application.link_identifiers import link_identifiers
from regulars_loyalty.application.purchase_rows import Shopper
from regulars_loyalty.application.unlink_identifier import unlink_identifier
from regulars_loyalty.domain.facts import PurchaseMade, PurchaseReturned
from regulars_loyalty.domain.returning import GoodsReturned, LineWanted


async def test_a_twin_finds_the_first_answer_by_id_key_or_receipt(desk: Desk) -> None:
    await desk.publish()
    purchase = a_purchase()
    await desk.record(desk.command(purchase, idempotency_key="K"))
    async with desk.begin() as unit:
        for found in (
            await unit.firsts([purchase.purchase_id], [], []),
            await unit.firsts([], [("till-1", "K")], []),
            await unit.firsts([], [], [purchase.receipt]),
        ):
            assert [each.first.fact_id for each in found] == [purchase.purchase_id]
        assert await unit.firsts([an_id()], [("till-2", "K"), ("till-1", "L")], []) == []


async def test_goods_are_matched_newest_first_while_something_is_left(desk: Desk) -> None:
    await desk.publish()
    old = await desk.sell(1000, when="2026-02-01 12:00")
    new = await desk.sell(lines=[a_line(1000), a_line(500, sku="SOCK", line_id="2")], when="2026-02-02 12:00")
    await desk.sell(700, when="2026-02-03 12:00", lines=[a_line(700, sku="HAT")])
    async with desk.begin() as unit:
        account_id = (await passbook_of(unit)).account.account_id
        before = local("2026-02-03 12:00")
        shoes = await unit.purchases_covering(account_id, {"SHOE-42": 1001}, "EUR", before)
        assert [each.bought.purchase_id for each in shoes] == [new.purchase_id, old.purchase_id]
        enough = await unit.purchases_covering(account_id, {"SHOE-42": 1000}, "EUR", before)
        assert [each.bought.purchase_id for each in enough] == [new.purchase_id], "no more than it takes"
        assert await unit.purchases_covering(account_id, {"SHOE-42": 1000}, "CHF", before) == []
        assert await unit.purchases_covering(account_id, {"HAT": 1000}, "EUR", before) == []
        assert len(await unit.purchases_covering(account_id, {"HAT": 1000, "SOCK": 1000}, "EUR", NOW)) == 2
    await desk.give_back_goods(GoodsReturned("SHOE-42", 1000, 1000))
    async with desk.begin() as unit:
        shoes = await unit.purchases_covering(account_id, {"SHOE-42": 1000}, "EUR", before)
        assert [each.bought.purchase_id for each in shoes] == [old.purchase_id]
    await check_ledger(desk)


async def test_goods_of_many_small_purchases_are_found_however_far_back(desk: Desk) -> None:
    await desk.publish()
    sold = [await desk.sell(1000, when=f"2026-02-{day:02} 12:00") for day in range(1, 13)]
    async with desk.begin() as unit:
        account_id = (await passbook_of(unit)).account.account_id
        for wanted, count in ((9_000, 9), (12_000, 12), (99_000, 12)):
            found = await unit.purchases_covering(account_id, {"SHOE-42": wanted}, "EUR", NOW)
            newest_first = [purchase.purchase_id for purchase in reversed(sold)]
            assert [each.bought.purchase_id for each in found] == newest_first[:count]


async def test_waiting_purchases_find_their_customer_with_their_returns(desk: Desk) -> None:
    await desk.publish()
    card = Shopper(None, "k1:card")
    newer = await desk.sell(2000, when="2026-02-02 12:00", shopper=card)
    older = await desk.sell(1000, when="2026-02-01 12:00", shopper=card)
    await desk.give_back(newer.purchase_id, LineWanted("1", 500), when="2026-02-03 12:00")
    async with desk.begin() as unit:
        assert list(await unit.unclaimed(["k1:card"])) == [older.purchase_id, newer.purchase_id]
        assert len(await unit.returns_of(newer.purchase_id)) == 1
    assert await link_identifiers(["k1:card"], ANNA, desk.begin, desk.clock) == 2
    assert (await desk.wallet())["balance"] == 20
    async with desk.begin() as unit:
        assert list(await unit.unclaimed(["k1:card"])) == []
        stored = await unit.purchase(newer.purchase_id)
        assert stored is not None
        assert (stored.row.customer_id, stored.row.earned, stored.row.known_at) == (ANNA, 20, NOW)
        account_id = (await passbook_of(unit)).account.account_id
        history = await unit.history(account_id, until=None, known_at=None)
        assert [type(fact) for fact in history.facts] == [PurchaseMade, PurchaseMade, PurchaseReturned]
    await check_ledger(desk)


async def test_a_link_is_undone_unless_it_went_to_somebody_else(desk: Desk) -> None:
    await link_identifiers(["k1:a", "k1:b"], ANNA, desk.begin, desk.clock)
    await link_identifiers(["k1:b"], BEN, desk.begin, desk.clock)
    await unlink_identifier("k1:a", ANNA, desk.begin)
    await unlink_identifier("k1:b", ANNA, desk.begin)
    async with desk.begin() as unit:
        assert await unit.customer_of(["k1:a", "k1:b", "k1:c"]) == {"k1:b": BEN}


async def test_quiet_accounts_with_something_due_are_found(desk: Desk) -> None:
    await desk.publish(expires={"after": "P1M"})
    await desk.sell(5000, when="2026-01-15 12:00")
    async with desk.begin() as unit:
        account_id = (await passbook_of(unit)).account.account_id
        due = local("2026-02-16")
        assert list(await unit.due_accounts(due, NOW + timedelta(seconds=1), 10)) == [account_id]
        assert list(await unit.due_accounts(due, NOW, 10)) == [], "it was written to just now"
        assert list(await unit.due_accounts(due - timedelta(seconds=1), NOW + timedelta(seconds=1), 10)) == []
    desk.now += timedelta(minutes=2)
    assert [await desk.expire(), await desk.expire()] == [1, 0]
    async with desk.begin() as unit:
        totals = await unit.totals("club")
    assert (totals.issued, totals.expired, totals.spendable, totals.accounts) == (50, 50, 0, 1)


async def test_totals_are_the_books_of_one_programme(desk: Desk) -> None:
    await desk.publish(tiers=TIERS, policies={"debt": "clamp"})
    first = await desk.sell(120_000, when="2026-01-15 12:00")
    await desk.sell(1000, when="2026-01-15 13:00", shopper=Shopper(BEN))
    await desk.redeem(700, when="2026-01-16 12:00")
    await desk.adjust(-100, when="2026-01-17 12:00")
    await desk.void(first.purchase_id, when="2026-01-18 12:00")
    async with desk.begin() as unit:
        totals = await unit.totals("club")
        assert (await unit.totals("another")).accounts == 0
    assert (totals.issued, totals.redeemed, totals.adjusted) == (1210, 700, 100)
    assert (totals.clawed_back, totals.written_off) == (1200, 800)
    assert (totals.spendable, totals.debt, totals.accounts) == (10, 0, 2)
    assert dict(totals.tiers) == {"base": 2}


async def test_lots_and_postings_come_in_pages(desk: Desk) -> None:
    await desk.publish()
    for hour in (10, 11, 12):
        await desk.sell(1000, when=f"2026-02-10 {hour}:00")
    async with desk.begin() as unit:
        account_id = (await passbook_of(unit)).account.account_id
        lots = await unit.lots_of(account_id, limit=2, after=None)
        rest = await unit.lots_of(account_id, limit=2, after=lots[-1].lot_id)
        assert (len(lots), len(rest)) == (2, 1)
        page = await unit.postings_of(account_id, limit=2, after_seq=1)
        assert [posting.account_seq for posting in page] == [2, 3]
