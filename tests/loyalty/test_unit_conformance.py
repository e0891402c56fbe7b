"""One suite for every database that units of work run on: the real one, and the one in memory that passes for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from uuid import UUID

import pytest

from builders import ANNA, BEN, TIERS, a_line, a_purchase, an_id, lines_of, local
from conftest import FreshDatabase
from loyalty.books import books, check_books
from loyalty.db_rig import a_message
from loyalty.desk import NOW, Desk
from loyalty.memory import MemoryDatabase
from regulars_kit.db import Database, Transactions
from regulars_kit.values import Refused
from regulars_loyalty.adapters.db.programmes import ProgrammeCache
from regulars_loyalty.adapters.db.unit import PostgresUnit
from regulars_loyalty.application.link_identifiers import link_identifiers
from regulars_loyalty.application.ports import FactRow, FirstAnswer, LoyaltyUnit, Owner, Passbook, Raced, Writing
from regulars_loyalty.application.purchase_rows import Answer, Shopper
from regulars_loyalty.application.unlink_identifier import unlink_identifier
from regulars_loyalty.domain.account import Spend
from regulars_loyalty.domain.facts import PointsRedeemed, PurchaseMade, PurchaseReturned
from regulars_loyalty.domain.late import net
from regulars_loyalty.domain.purchase import Receipt
from regulars_loyalty.domain.refusals import ReceiptNumberTaken
from regulars_loyalty.domain.returning import GoodsReturned, LineWanted

OWNER = Owner(ANNA, "club", "points")


@pytest.fixture(params=["memory", "postgres"])
async def desk(request: pytest.FixtureRequest, fresh_database: FreshDatabase) -> AsyncIterator[Desk]:
    if request.param == "memory":
        yield Desk(MemoryDatabase().begin)
        return
    database = Database(await fresh_database("regulars_loyalty"), name="conformance", pool_size=3)
    cache = ProgrammeCache()
    yield Desk(Transactions(database, lambda connection: PostgresUnit(connection, cache, a_message)))
    await database.close()


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


async def test_a_unit_that_fails_stores_nothing(desk: Desk) -> None:
    await desk.publish()
    with pytest.raises(ZeroDivisionError):
        async with desk.begin() as unit:
            passbook = (await unit.lock([OWNER], open_missing=True))[OWNER]
            await unit.write(Writing(passbooks=[passbook]))
            await unit.link_identifiers(["k1:card"], ANNA)
            assert await unit.customer_of(["k1:card"]) == {"k1:card": ANNA}
            raise ZeroDivisionError
    async with desk.begin() as unit:
        assert await unit.lock([OWNER], open_missing=False) == {}
        assert await unit.customer_of(["k1:card"]) == {}


async def test_an_account_is_read_back_as_it_was_left(desk: Desk) -> None:
    await desk.publish(tiers=TIERS, expires={"after": "P2M"})
    await desk.sell(120_000, when="2026-02-10 12:00")
    async with desk.begin() as unit:
        passbook = await passbook_of(unit)
        account = passbook.account
        assert (account.spendable, account.debt, account.tier, account.visits) == (1200, 0, "gold", 1)
        assert (account.newest_at, account.next_due_at) == (local("2026-02-10 12:00"), local("2026-04-11"))
        assert account.standings[2026].total == account.standings[2026].peak == 1200
        assert (passbook.seq, passbook.fact_no, passbook.is_new, passbook.has_lots) == (1, 1, False, False)
        assert account.lots == {}, "lots are loaded when they are asked for"
        await unit.load_lots(passbook)
        (lot,) = account.lots.values()
        assert (lot.issued, lot.remaining, lot.expires_at) == (1200, 1200, local("2026-04-11"))
        assert passbook.stored_lots == {lot.lot_id: (1200, 1200)}
        assert [each.owner for each in await unit.accounts_of(ANNA)] == [OWNER]
    await check_ledger(desk)


async def test_what_a_handler_does_to_a_passbook_is_not_stored_until_it_is_written(desk: Desk) -> None:
    await desk.publish()
    await desk.sell(5000)
    async with desk.begin() as unit:
        passbook = await passbook_of(unit)
        await unit.load_lots(passbook)
        passbook.account.spendable = 1
        next(iter(passbook.account.lots.values())).remaining = 1
    assert (await desk.wallet())["balance"] == 50
    await check_ledger(desk)


@pytest.mark.parametrize("twin", ["id", "key", "receipt"])
async def test_a_purchases_id_key_and_receipt_are_stored_once(desk: Desk, twin: str) -> None:
    await desk.publish()
    first = a_purchase(when="2026-02-10 12:00")
    second = a_purchase(when="2026-02-10 13:00", purchase_id=first.purchase_id if twin == "id" else None)
    if twin == "receipt":
        second = replace(second, receipt=first.receipt)
    await desk.record(desk.command(first, idempotency_key="K" if twin == "key" else None))
    rows = []
    async with desk.begin() as unit:
        stored = await unit.purchase(first.purchase_id)
        assert stored is not None
        rows.append(stored.row)
    key = "K" if twin == "key" else None
    mine = replace(rows[0].first.first, fact_id=second.purchase_id, idempotency_key=key)
    row = replace(rows[0], purchase=second, first=replace(rows[0].first, first=mine, receipt=second.receipt))
    with pytest.raises(Raced):
        async with desk.begin() as unit:
            await unit.write(Writing(purchases=[row]))


@pytest.mark.parametrize("twin", ["id", "key", "receipt"])
async def test_a_facts_id_key_and_receipt_are_stored_once(desk: Desk, twin: str) -> None:
    def row(fact_id: UUID, key: str | None, number: str) -> FactRow:
        first = FirstAnswer(fact_id, "till-1", key, b"hash", "{}")
        receipt = Receipt("berlin-mitte", "till-1", NOW.date(), number)
        return FactRow(PurchaseReturned(fact_id, NOW, ()), None, None, first, NOW, receipt=receipt)

    one, two = an_id(), an_id()
    same = {"id": row(one, None, "2"), "key": row(two, "K", "2"), "receipt": row(two, None, "1")}
    async with desk.begin() as unit:
        await unit.write(Writing(facts=[row(one, "K", "1")]))
    with pytest.raises(Raced):
        async with desk.begin() as unit:
            await unit.write(Writing(facts=[same[twin]]))
    async with desk.begin() as unit:
        receipt = Receipt("berlin-mitte", "till-1", NOW.date(), "1")
        found = [
            await unit.first_answer(one, "nobody", None),
            await unit.first_answer(None, "till-1", "K"),
            await unit.first_answer(None, "nobody", None, receipt),
        ]
        assert {each.fact_id for each in found if each} == {one}
        assert await unit.first_answer(None, "till-2", "K") is None
        assert await unit.first_answer(None, "till-1", None) is None


async def test_an_owners_account_is_opened_once(desk: Desk) -> None:
    await desk.publish()
    async with desk.begin() as unit:
        mine = (await unit.lock([OWNER], open_missing=True))[OWNER]
        rival = (await unit.lock([OWNER], open_missing=True))[OWNER]
        assert mine.is_new
        await unit.write(Writing(passbooks=[mine]))
        assert not mine.is_new
        with pytest.raises(Raced):
            await unit.write(Writing(passbooks=[rival]))


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


async def test_a_purchase_is_read_back_with_what_came_back_of_it(desk: Desk) -> None:
    await desk.publish()
    lines = (a_line(3000, line_id="shoes", quantity_milli=3000, category="shoes", cost_minor=7), a_line(0, line_id="2"))
    purchase = await desk.sell(lines=lines, channel="shop")
    await desk.give_back(purchase.purchase_id, LineWanted("shoes", 1000))
    async with desk.begin() as unit:
        stored = await unit.purchase(purchase.purchase_id, for_update=True)
        assert await unit.purchase(an_id()) is None
    assert stored is not None
    assert stored.row.purchase == purchase
    assert stored.row.recorded_at == NOW
    assert stored.bought.returned == [Fraction(1, 3), Fraction(0)]
    assert (stored.bought.price.earned, stored.bought.price.line_points) == (30, (30, 0))
    assert (stored.bought.price.credit, stored.bought.price.line_credits) == (30, (30, 0))


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


async def test_goods_are_matched_newest_first_while_something_is_left(desk: Desk) -> None:
    await desk.publish()
    old = await desk.sell(1000, when="2026-02-01 12:00")
    new = await desk.sell(lines=[a_line(1000), a_line(500, sku="SOCK", line_id="2")], when="2026-02-02 12:00")
    await desk.sell(700, when="2026-02-03 12:00", lines=[a_line(700, sku="HAT")])
    async with desk.begin() as unit:
        account_id = (await passbook_of(unit)).account.account_id
        before = local("2026-02-03 12:00")
        shoes = await unit.purchases_by_sku(account_id, ["SHOE-42"], before)
        assert [each.bought.purchase_id for each in shoes] == [new.purchase_id, old.purchase_id]
        assert await unit.purchases_by_sku(account_id, ["HAT"], before) == []
        assert len(await unit.purchases_by_sku(account_id, ["HAT", "SOCK"], NOW)) == 2
    await desk.give_back_goods(GoodsReturned("SHOE-42", 1000, 1000))
    async with desk.begin() as unit:
        shoes = await unit.purchases_by_sku(account_id, ["SHOE-42"], before)
        assert [each.bought.purchase_id for each in shoes] == [old.purchase_id]
    await check_ledger(desk)


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


async def test_versions_are_kept_as_they_were_sent_and_read_by_the_next_unit(desk: Desk) -> None:
    await desk.publish()
    await desk.publish(earn={"EUR": "2"})
    async with desk.begin() as unit:
        documents = await unit.documents()
        assert [(each.code, each.number, each.document["earn"]) for each in documents] == [
            ("club", 1, {"EUR": "1"}),
            ("club", 2, {"EUR": "2"}),
        ]
        programmes = await unit.programmes()
        assert [version.number for version in programmes.named("club").versions] == [1, 2]


async def test_one_bad_purchase_of_a_batch_harms_no_other(desk: Desk) -> None:
    await desk.publish()
    good = [a_purchase(lines=lines_of(1000), when=f"2026-02-10 {hour}:00") for hour in (10, 11)]
    bad = replace(a_purchase(5000), receipt=good[0].receipt)
    answers = await desk.record(desk.command(good[0]), desk.command(bad), desk.command(good[1]))
    assert [type(answer) for answer in answers] == [Answer, ReceiptNumberTaken, Answer]
    assert isinstance(answers[1], Refused)
    assert (await desk.wallet())["balance"] == 20
    await check_ledger(desk)


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
