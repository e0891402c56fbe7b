"""What every database that units of work run on stores, and what it refuses: the real one and the one in memory."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from uuid import UUID

import pytest

from builders import ANNA, TIERS, a_line, a_purchase, an_id, lines_of, local
from loyalty.desk import NOW, Desk
from loyalty.units import BENS, OWNER, check_ledger, passbook_of
from regulars_kit.values import Refused
from regulars_loyalty.application.ports import FactRow, FirstAnswer, Raced, Writing
from regulars_loyalty.application.purchase_rows import Answer
from regulars_loyalty.domain.facts import PurchaseReturned
from regulars_loyalty.domain.purchase import Receipt
from regulars_loyalty.domain.refusals import ReceiptNumberTaken
from regulars_loyalty.domain.returning import LineWanted


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


async def test_an_account_that_was_stored_since_it_was_read_is_not_stored_over(desk: Desk) -> None:
    await desk.publish()
    await desk.sell(5000)
    async with desk.begin() as unit:
        mine, rival = (await unit.peek([OWNER]))[OWNER], (await unit.peek([OWNER]))[OWNER]
        await unit.write(Writing(passbooks=[mine]))
        await unit.write(Writing(passbooks=[mine]))
    with pytest.raises(Raced):
        async with desk.begin() as unit:
            await unit.write(Writing(passbooks=[rival]))


async def test_accounts_that_were_stored_since_they_were_read_do_not_stand(desk: Desk) -> None:
    await desk.publish()
    await desk.sell(5000)
    async with desk.begin() as unit:
        mine, rival = (await unit.peek([OWNER]))[OWNER], (await unit.peek([OWNER]))[OWNER]
        new = (await unit.peek([BENS]))[BENS]
        assert await unit.lock_standing([mine, new]) == [mine, new]
        await unit.write(Writing(passbooks=[mine, new]))
        assert await unit.lock_standing([rival]) == []
        assert await unit.lock_standing([mine, new]) == [mine, new]


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
