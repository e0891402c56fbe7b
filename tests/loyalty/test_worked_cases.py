"""The worked cases of the ledger's specification, through HTTP on PostgreSQL. Days are local to Berlin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from builders import TIERS
from conftest import FreshDatabase
from loyalty.at_the_till import AS_ANNA, AtTheTill, Json, a_till
from loyalty.shop import a_sale

LOT_TO_APRIL = "2026-04-01 00:00"


@pytest.fixture
async def till(fresh_database: FreshDatabase) -> AsyncIterator[AtTheTill]:
    async with a_till(await fresh_database("regulars_loyalty")) as till:
        yield till


def points_of(answer: Json) -> list[int]:
    return [line["points"] for line in answer["lines"]]


async def test_case_1_points_are_floored_once_and_shared_by_largest_remainder(till: AtTheTill) -> None:
    await till.publish(tiers=TIERS)
    await till.sell(100_000, when="2026-02-01 10:00")  # 1,000 points: gold from the next purchase on
    # 3.33 + 3.33 + 3.34 = 10.00 EUR x 1 x 1.5 = 15; shares 4.995, 4.995, 5.01 -> 4, 4, 5 and the two left: 5, 5, 5
    gold = await till.sell(333, 333, 334, when="2026-02-02 10:00")
    assert (gold["tier"], gold["earned"], points_of(gold)) == ("gold", 15, [5, 5, 5])


async def test_case_1_three_halves_of_a_euro_are_one_point(till: AtTheTill) -> None:
    await till.publish()
    # 3 x 0.50 = 1.50 -> 1, not 3 x floor(0.50) = 0; all remainders are equal: the first line
    answer = await till.sell(50, 50, 50, when="2026-02-01 10:00")
    assert (answer["earned"], points_of(answer)) == (1, [1, 0, 0])


async def test_case_2_multipliers_multiply_and_the_bonus_is_not_multiplied(till: AtTheTill) -> None:
    tiers = [{"code": "base", "from": 0}, {"code": "silver", "from": 2000, "multiplier": "1.25"}]
    campaign = {"code": "x2", "when": {"from": "2026-03-01", "to": "2026-04-01"}, "multiplier": "2"}
    bonus = {"code": "spring", "when": {"from": "2026-03-01", "to": "2026-04-01"}, "bonus": 50}
    await till.publish(earn={"EUR": "2"}, tiers=tiers, rules=[campaign, bonus])
    await till.sell(100_000, when="2026-02-01 10:00")  # 1,000.00 x 2 = 2,000: silver
    # 19.99 x 2 x 2 x 1.25 = 99.95 -> 99, + 50 = 149
    answer = await till.sell(1999, when="2026-03-10 10:00")
    assert (answer["tier"], answer["earned"]) == ("silver", 149)


async def test_case_3_the_soonest_to_expire_is_spent_first(till: AtTheTill) -> None:
    await till.publish()
    await till.grant(100, when="2026-01-01", until=LOT_TO_APRIL)  # A
    await till.grant(50, when="2026-01-02", until="2026-03-01 00:00")  # B
    await till.grant(70, when="2026-01-03")  # C, never
    answer = await till.redeem(120, when="2026-02-10 10:00")
    assert [lot["points"] for lot in answer["lots"]] == [50, 70]  # B, then 70 of A
    assert answer["balance"] == 100  # 30 of A + 70 of C
    assert await till.balance("2026-03-01 00:00") == 100  # nothing of B was left to expire
    assert await till.balance("2026-03-31 23:59") == 100
    assert await till.balance("2026-04-01 00:00") == 70  # 30 of A are gone


@pytest.mark.parametrize(
    ("grace_days", "balance", "expired_at_once"),
    [(0, 0, 80), (30, 80, 0)],
)
async def test_case_4_restored_points_keep_their_date_or_get_the_grace(
    till: AtTheTill, grace_days: int, balance: int, expired_at_once: int
) -> None:
    await till.publish(policies={"grace_days": grace_days})
    await till.grant(100, when="2026-01-01", until=LOT_TO_APRIL)
    spent = await till.redeem(80, when="2026-03-20 10:00")
    answer = await till.reverse(spent, when="2026-04-10 10:00")
    # Without grace: 20 expired on 1 April, the 80 on their return: 100 in all.
    # With 30 days: max(1 April, 10 April + 30 days) = 10 May 00:00, usable to the end of 9 May.
    assert (answer["restored"], answer["expired"], answer["balance"]) == (80, expired_at_once, balance)
    assert await till.balance("2026-05-09 23:59") == balance
    assert await till.balance("2026-05-10 00:00") == 0
    assert await till.balance() == 0
    expired = sum(each["points"] for each in await till.ledger() if each["to"] == "expired")
    assert expired == 20 + expired_at_once


async def test_case_5_what_was_spent_is_owed_and_later_earnings_pay_it(till: AtTheTill) -> None:
    await till.publish()
    first = await till.sell(20_000, when="2026-02-01 10:00")
    await till.redeem(180, when="2026-02-02 10:00")
    back = await till.give_back(first, when="2026-02-03 10:00")
    assert (back["taken_back"], back["balance"]) == (200, -180)  # 200 - 180 - 200
    second = await till.sell(25_000, when="2026-02-04 10:00")
    assert second["balance"] == 70  # -180 + 250
    assert (await till.give_back(second, when="2026-02-05 10:00"))["balance"] == -180  # 70 - 250
    assert (await till.wallet())["debt"] == 180


async def test_case_5_clamped_the_shortfall_is_written_off(till: AtTheTill) -> None:
    await till.publish(policies={"debt": "clamp"})
    first = await till.sell(20_000, when="2026-02-01 10:00")
    await till.redeem(180, when="2026-02-02 10:00")
    assert (await till.give_back(first, when="2026-02-03 10:00"))["balance"] == 0
    taken = {each["from"]: each["points"] for each in await till.ledger() if each["to"] == "clawed_back"}
    assert taken == {"spendable": 20, "written_off": 180}
    second = await till.sell(25_000, when="2026-02-04 10:00")
    assert second["balance"] == 250
    assert (await till.give_back(second, when="2026-02-05 10:00"))["balance"] == 0


async def test_case_6_a_return_takes_its_line_once_and_the_void_the_rest(till: AtTheTill) -> None:
    await till.publish()
    purchase = await till.sell(3000, 7000, when="2026-02-01 10:00")  # 30 + 70
    return_id = uuid4()
    once = await till.give_back(purchase, {"line_id": "1"}, when="2026-02-02 10:00", return_id=return_id)
    assert (once["taken_back"], once["balance"]) == (30, 70)
    again = await till.give_back(purchase, {"line_id": "1"}, when="2026-02-02 10:00", return_id=return_id)
    assert again == once
    assert await till.balance() == 70
    void = await till.void(purchase, when="2026-02-03 10:00")
    assert (void["taken_back"], void["balance"]) == (70, 0)
    assert await till.void(purchase, when="2026-02-04 10:00") == void
    before = await till.ledger()
    refused = await till.give_back(purchase, {"line_id": "2"}, when="2026-02-05 10:00", status=409)
    assert refused["code"] == "nothing_left_to_return"
    assert await till.ledger() == before


async def test_case_7_twenty_twins_are_one_earning(till: AtTheTill) -> None:
    await till.publish()
    sale, purchase_id = a_sale(1999), uuid4()
    path = f"/v1/purchases/{purchase_id}"
    answers = await asyncio.gather(*(till.ask("PUT", path, sale) for _ in range(20)))
    assert all(answer == answers[0] for answer in answers)
    assert await till.balance() == 19
    dearer = {**sale, "lines": [{**sale["lines"][0], "net_minor": 2999}]}
    assert (await till.ask("PUT", path, dearer, status=409))["code"] == "idempotency_key_conflict"
    double = await till.ask("POST", "/v1/purchases", sale, key="another")
    assert double == answers[0] | {"duplicate_of": str(purchase_id)}
    assert (await till.ask("POST", "/v1/purchases", dearer, status=409, key="third"))["code"] == "receipt_number_taken"
    assert await till.balance() == 19
    assert len(await till.ledger()) == 1


async def test_case_8_of_twenty_redemptions_of_all_points_exactly_one_succeeds(till: AtTheTill) -> None:
    await till.publish()
    await till.sell(10_000, when="2026-02-01 10:00")
    body = {"customer": AS_ANNA, "points": 100}
    responses = await asyncio.gather(
        *(till.shop.send("POST", "/v1/redemptions", body, key=f"key-{number}") for number in range(20))
    )
    assert sorted(response.status_code for response in responses) == [201] + [409] * 19
    assert {r.json()["code"] for r in responses if r.status_code == 409} == {"insufficient_points"}
    assert await till.balance() == 0


async def test_case_10_a_return_takes_back_by_the_rule_of_the_day_of_purchase(till: AtTheTill) -> None:
    await till.publish()
    purchase = await till.sell(5000, when="2026-02-01 10:00")  # 50.00 x 1
    await till.publish(effective_from="2026-03-01", earn={"EUR": "2"})
    assert (await till.sell(5000, when="2026-03-02 10:00"))["earned"] == 100
    back = await till.give_back(purchase, when="2026-03-03 10:00")
    assert (back["taken_back"], back["balance"]) == (50, 100)
