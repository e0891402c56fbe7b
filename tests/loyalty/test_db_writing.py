"""What the database stores of a batch, and what it refuses, on real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from builders import ANNA, BEN, a_purchase, an_id, lines_of, local
from loyalty.db_rig import NOW, Rig, a_command
from regulars_loyalty.application.ports import Owner, Raced, Writing
from regulars_loyalty.application.purchase_rows import Answer, unclaimed_row
from regulars_loyalty.domain.returning import LineWanted


@pytest.fixture
async def rig(url: str) -> AsyncIterator[Rig]:
    rig = Rig(url)
    await rig.publish(rules=[{"code": "welcome", "when": {"first_purchase": True}, "bonus": 50}])
    yield rig
    await rig.close()


async def test_a_purchase_reads_back_as_it_was_recorded(rig: Rig) -> None:
    purchase = a_purchase(lines=lines_of(1999, 250, 0, category="shoes", cost_minor=7), channel="web")
    command = a_command(
        purchase, idempotency_key="k", coupons=("SPRING",), offers=("o-1", "o-2"), captured_at=NOW, sequence_no=7
    )
    (answer,) = await rig.record(command)
    async with rig.begin() as unit:
        stored = await unit.purchase(purchase.purchase_id)
    assert stored is not None
    row = stored.row
    assert (row.purchase, row.customer_id, row.programme, row.version) == (purchase, ANNA, "club", 1)
    assert (row.earned, row.line_points, row.visit, row.fact_no) == (72, (64, 8, 0), 1, 1)  # 20 + 44, 2 + 6
    assert (row.coupons, row.offers, row.captured_at, row.sequence_no) == (("SPRING",), ("o-1", "o-2"), NOW, 7)
    assert isinstance(answer, Answer)
    assert (row.first.first.answer, row.first.first.content_hash) == (answer.body, command.content_hash)
    assert stored.bought.returned == [0, 0, 0]
    assert stored.bought.price.line_credits == (20, 2, 0)


async def test_points_paid_are_shared_over_the_lines_again_when_the_purchase_is_read(rig: Rig) -> None:
    await rig.sell(100_00)
    paying = await rig.sell(lines=lines_of(600, 400), when="2026-02-10 13:00", paid_in_points_minor=100)
    async with rig.begin() as unit:
        stored = await unit.purchase(paying.purchase_id)
    assert stored is not None
    assert stored.bought.price.paid == 100
    assert stored.bought.price.line_paid == (60, 40)
    assert stored.bought.price.line_credits == (5, 4)  # 9.00 euros: 5.40 and 3.60


async def test_announcements_stand_in_the_outbox_in_their_order(rig: Rig) -> None:
    await rig.record(*[a_command(a_purchase(), customer) for customer in (BEN, None, ANNA, BEN)])
    told = await rig.rows("SELECT type, key FROM outbox ORDER BY id")
    assert told[0]["type"] == "ProgrammePublished"
    assert [each["key"] for each in told[1:]] == [str(BEN), "None", str(ANNA), str(BEN)]


@pytest.mark.parametrize(("purchases", "lines"), [(1, 1), (1, 2000), (12, 2000), (1000, 3)])
async def test_a_batch_of_any_size_is_one_write(rig: Rig, purchases: int, lines: int) -> None:
    customers = [uuid4() for _ in range(100)]
    batch = [
        a_command(a_purchase(lines=lines_of(*[199] * lines)), customers[place % len(customers)])
        for place in range(purchases)
    ]
    answers = await rig.record(*batch)
    assert all(isinstance(answer, Answer) for answer in answers)
    assert await rig.value("SELECT count(*) FROM purchases") == purchases
    assert await rig.value("SELECT count(*) FROM purchase_lines") == purchases * lines
    assert await rig.value("SELECT sum(spendable) FROM accounts") == await rig.value("SELECT sum(points) FROM postings")


async def test_twins_of_two_processes_are_one_purchase_with_one_answer(rig: Rig, other: Rig) -> None:
    command = a_command(a_purchase())
    answers = await asyncio.gather(*(each.record(command) for each in [rig, other] * 5))
    assert len({answer.body for (answer,) in answers if isinstance(answer, Answer)}) == 1
    assert sum(isinstance(answer, Answer) and not answer.is_replayed for (answer,) in answers) == 1
    assert await rig.value("SELECT count(*) FROM purchases") == 1
    assert await rig.value("SELECT sum(points) FROM postings") == 69


async def test_nobodys_twins_of_two_processes_are_one_purchase(rig: Rig, other: Rig) -> None:
    command = a_command(a_purchase(), None)
    answers = await asyncio.gather(*(each.record(command) for each in [rig, other] * 5))
    assert len({answer.body for (answer,) in answers if isinstance(answer, Answer)}) == 1
    assert await rig.value("SELECT count(*) FROM outbox") == 2


async def test_who_comes_second_with_an_id_a_key_or_a_receipt_has_raced(rig: Rig, other: Rig) -> None:
    purchase = a_purchase()
    receipt_again = a_purchase()
    twins = [
        a_command(purchase, None, idempotency_key="mine"),
        a_command(a_purchase(), None, idempotency_key="mine", client="till-1"),
        a_command(
            type(receipt_again)(an_id(), purchase.receipt, NOW, "EUR", receipt_again.lines), None, idempotency_key="x"
        ),
    ]
    async with rig.begin() as unit:
        version = (await unit.programmes()).named("club").at(NOW)
        await unit.write(Writing(purchases=[unclaimed_row(NOW, twins[0], version)]))
    for twin in twins:
        with pytest.raises(Raced):
            async with other.begin() as unit:
                await unit.write(Writing(purchases=[unclaimed_row(NOW, twin, version)]))
    assert await rig.value("SELECT count(*) FROM purchases") == 1


async def test_an_account_that_two_open_at_once_is_opened_once(rig: Rig, other: Rig) -> None:
    owner = Owner(ANNA, "club", "points")
    async with rig.begin() as first:
        mine = (await first.lock([owner], open_missing=True))[owner]
        with pytest.raises(Raced):
            async with other.begin() as second:
                theirs = (await second.lock([owner], open_missing=True))[owner]
                assert theirs.account.account_id != mine.account.account_id
                async with rig.begin() as third:
                    await third.write(Writing(passbooks=[mine]))
                await second.write(Writing(passbooks=[theirs]))
    assert await rig.value("SELECT count(*) FROM accounts") == 1


async def test_nobody_but_the_asked_for_gets_a_new_account(rig: Rig) -> None:
    await rig.sell()
    owners = [Owner(BEN, "club", "points"), Owner(ANNA, "club", "points")]
    async with rig.begin() as unit:
        locked = await unit.lock(owners, open_missing=False)
        assert set(locked) == {owners[1]}
        assert await unit.lock([], open_missing=True) == {}
        again = await unit.lock_account(locked[owners[1]].account.account_id)
    assert again.account == locked[owners[1]].account


async def test_batches_that_name_the_same_accounts_in_other_orders_never_deadlock(rig: Rig, other: Rig) -> None:
    customers = [uuid4() for _ in range(20)]

    async def sell_to(each: Rig, order: list[UUID]) -> None:
        for _ in range(10):
            answers = await each.record(*[a_command(a_purchase(), customer) for customer in order])
            assert all(isinstance(answer, Answer) for answer in answers)

    await asyncio.gather(sell_to(rig, customers), sell_to(other, customers[::-1]), sell_to(rig, customers[::2]))
    assert await rig.value("SELECT sum(visits) FROM accounts") == 500
    assert await rig.value("SELECT count(*) FROM accounts") == 20
    assert await rig.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0


@pytest.mark.parametrize("rewrite", ["UPDATE postings SET points = 1", "DELETE FROM postings", "TRUNCATE postings"])
async def test_the_ledger_is_never_rewritten(rig: Rig, rewrite: str) -> None:
    await rig.sell()
    with pytest.raises(DBAPIError, match="never rewritten"):
        await rig.value(rewrite)


async def test_a_purchase_of_a_known_account_leaves_every_index_of_the_account_alone(rig: Rig) -> None:
    for hour in range(8, 20):
        await rig.sell(when=f"2026-02-10 {hour:02}:00")
    await rig.value("SELECT pg_stat_force_next_flush()")
    (updates,) = await rig.rows("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'accounts'")
    assert updates["n_tup_hot_upd"] == updates["n_tup_upd"] > 0


async def test_what_came_back_of_a_line_is_kept_as_an_exact_fraction(rig: Rig) -> None:
    purchase = await rig.sell(lines=lines_of(1000, 2000, quantity_milli=3000))
    await rig.give_back(purchase, "2026-02-10 13:00", LineWanted("2", quantity_milli=1000))
    lines = await rig.rows("SELECT returned FROM purchase_lines ORDER BY line_no")
    assert [line["returned"] for line in lines] == ["0", "1/3"]
    async with rig.begin() as unit:
        stored = await unit.purchase(purchase.purchase_id, for_update=True)
        assert stored is not None
        assert stored.row.account_id is not None
        search = partial(unit.purchases_covering, stored.row.account_id)
        assert await search({"SHOE-42": 1000}, "EUR", local("2026-02-10 14:00")) == [stored]
        assert await search({"SHOE-42": 1000}, "EUR", purchase.occurred_at) == []
        assert await search({"HAT": 1000}, "EUR", NOW) == []


async def test_first_answers_are_found_by_id_key_and_receipt(rig: Rig) -> None:
    by_id, by_key, by_receipt = a_purchase(), a_purchase(), a_purchase()
    await rig.record(a_command(by_id), a_command(by_key, idempotency_key="k"), a_command(by_receipt, None))
    async with rig.begin() as unit:
        found = await unit.firsts(
            [by_id.purchase_id, an_id()], [("till-1", "k"), ("till-2", "k")], [by_receipt.receipt]
        )
        again = await unit.firsts([by_key.purchase_id], [("till-1", "k")], [by_key.receipt])
        none = await unit.firsts([], [], [])
    wanted = {by_id.purchase_id, by_key.purchase_id, by_receipt.purchase_id}
    assert {each.first.fact_id for each in found} == wanted
    assert [each.first.fact_id for each in again] == [by_key.purchase_id]
    assert none == []
