"""Policies P2, P4, P5, P9, P10, P11 and P13 as a client sees them. Days are local to Berlin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from builders import ANNA, TIERS, a_document, the_specs_example
from conftest import FreshDatabase
from loyalty.at_the_till import AtTheTill, a_till

WELCOME = {"code": "welcome", "when": {"first_purchase": True}, "bonus": 50}


@pytest.fixture
async def till(fresh_database: FreshDatabase) -> AsyncIterator[AtTheTill]:
    async with a_till(await fresh_database("regulars_loyalty")) as till:
        yield till


async def test_the_specs_example_is_accepted_whole(till: AtTheTill) -> None:
    example = the_specs_example()
    stored = await till.ask("PUT", "/v1/programmes/club", example, status=200)
    assert {name: stored[name] for name in example} == example
    # 40.00 of shoes in March: x2, and 50 for the first purchase
    sale = await till.sell(4000, when="2026-03-10 10:00", lines=[a_line("shoes", 4000)])
    assert (sale["tier"], sale["earned"]) == ("base", 130)


def a_line(category: str, net_minor: int) -> dict[str, object]:
    return {"line_id": "1", "sku": "S", "category": category, "quantity": 1, "net_minor": net_minor}


async def test_p2_the_part_paid_in_points_earns_nothing(till: AtTheTill) -> None:
    await till.publish()
    await till.grant(1000, when="2026-01-01")
    tenders = [{"type": "points", "amount_minor": 500}, {"type": "card", "amount_minor": 1500}]
    # 20.00, of it 5.00 by 500 points: 15.00 earn 15, shared 12.00 : 8.00 as 9 and 6; 1,000 - 500 + 15
    sale = await till.sell(1200, 800, when="2026-02-01 10:00", tenders=tenders)
    assert (sale["earned"], sale["balance"]) == (15, 515)
    assert [line["points"] for line in sale["lines"]] == [9, 6]
    back = await till.give_back(sale, {"line_id": "2"}, when="2026-02-02 10:00")
    assert (back["restored"], back["taken_back"], back["balance"]) == (200, 6, 709)  # 500 x 8/20 = 200
    too_much = [{"type": "points", "amount_minor": 71_000}]
    refused = await till.sell(71_000, when="2026-02-03 10:00", tenders=too_much, status=409)
    assert refused["code"] == "insufficient_points"
    assert await till.balance() == 709


async def test_p4_points_live_to_the_end_of_their_last_day(till: AtTheTill) -> None:
    await till.publish(expires={"after": "P1M"})
    await till.sell(10_000, when="2026-01-15 10:00")
    await till.sell(5_000, when="2026-01-31 10:00")  # clipped: to the end of 28 February
    assert await till.balance("2026-02-15 23:59") == 150
    assert await till.balance("2026-02-16 00:00") == 50
    assert await till.balance("2026-02-28 23:59") == 50
    assert await till.balance("2026-03-01 00:00") == 0
    assert (await till.wallet("2026-02-01"))["next_expiry"] == {"at": "2026-02-15T23:00:00+00:00", "points": 100}


async def test_p4_an_expiry_ahead_is_answered_today(till: AtTheTill) -> None:
    await till.publish(expires={"after": "P1M"})
    await till.sell(10_000, when="2027-05-20 10:00")
    assert await till.balance() == 100
    assert await till.balance("2027-06-21 00:00") == 0
    assert await till.balance() == 100


async def test_p5_the_last_lot_taken_is_restored_first(till: AtTheTill) -> None:
    await till.publish()
    await till.grant(50, when="2026-01-01", until="2026-03-01")
    await till.grant(50, when="2026-01-02", until="2026-04-01")
    spent = await till.redeem(80, when="2026-02-01 10:00")
    assert (await till.reverse(spent, 40, when="2026-02-02 10:00"))["balance"] == 60
    assert await till.balance("2026-03-01 00:00") == 50  # 30 back to the second, 10 to the first, which ends
    refused = await till.reverse(spent, 41, when="2026-02-03 10:00", status=409)
    assert refused["code"] == "nothing_left_to_reverse"


@pytest.mark.parametrize(
    ("late", "newer", "older"),
    [("no-rerate", 60, 10), ("re-rate", 10, 60)],
)
async def test_p9_a_late_receipt_changes_other_prices_only_under_re_rate(
    till: AtTheTill, late: str, newer: int, older: int
) -> None:
    await till.publish(rules=[WELCOME], policies={"late": late})
    first = await till.sell(1000, when="2026-02-02 10:00")
    second = await till.sell(1000, when="2026-02-01 10:00")
    assert (first["earned"], second["earned"], second["balance"]) == (60, older, 70)
    stored = await till.ask("GET", f"/v1/purchases/{first['purchase_id']}", status=200)
    assert stored["earned"] == newer
    assert [entry["late_fact_id"] for entry in (await till.ledger())[1:]] in (
        [None],  # plain purchases commute
        [second["purchase_id"]] * 2,  # 50 taken from the first, 60 for the second
    )


async def test_p10_a_tier_is_reached_kept_and_lost(till: AtTheTill) -> None:
    await till.publish(tiers=TIERS)
    assert (await till.sell(100_000, when="2026-02-01 10:00"))["tier"] == "base"
    assert (await till.sell(1000, when="2026-02-02 10:00"))["tier"] == "gold"
    assert (await till.wallet("2027-12-31 23:59"))["tier"] == "gold"
    assert (await till.wallet("2028-01-01 00:00"))["tier"] == "base"


async def test_p11_at_one_instant_points_expire_before_they_are_spent(till: AtTheTill) -> None:
    await till.publish()
    await till.grant(100, when="2026-01-01", until="2026-02-01")
    assert (await till.redeem(1, when="2026-02-01 00:00", status=409))["code"] == "insufficient_points"
    assert (await till.redeem(1, when="2026-01-31 23:59"))["balance"] == 99


async def test_p13_a_late_redemption_is_judged_as_of_its_own_instant(till: AtTheTill) -> None:
    await till.publish()
    await till.sell(10_000, when="2026-02-01 10:00")
    await till.sell(5_000, when="2026-02-10 10:00")
    assert (await till.redeem(101, when="2026-02-05 10:00", status=409))["code"] == "insufficient_points"
    await till.redeem(120, when="2026-02-12 10:00")
    assert (await till.redeem(31, when="2026-02-05 10:00", status=409))["code"] == "insufficient_points"
    assert (await till.redeem(30, when="2026-02-05 10:00"))["balance"] == 0


async def test_p13_a_late_return_is_never_refused(till: AtTheTill) -> None:
    await till.publish()
    sale = await till.sell(10_000, when="2026-02-01 10:00")
    await till.redeem(100, when="2026-02-10 10:00")
    assert (await till.give_back(sale, when="2026-02-05 10:00"))["balance"] == -100


async def test_p13_a_balance_is_asked_as_of_one_time_and_known_at_another(till: AtTheTill) -> None:
    await till.publish()
    till.clock.now -= timedelta(days=10)
    await till.sell(10_000, when="2026-02-10 10:00")
    known = till.clock.now.isoformat()
    till.clock.now += timedelta(days=5)
    await till.sell(5_000, when="2026-02-01 10:00")  # a till that was offline
    assert await till.balance("2026-02-05") == 50
    assert await till.balance("2026-02-15") == 150
    assert await till.balance("2026-02-05", known_at=known) == 0
    assert await till.balance("2026-02-15", known_at=known) == 100
    assert await till.balance("2026-01-01") == 0


async def test_p5_only_points_that_came_back_are_called_expired(till: AtTheTill) -> None:
    await till.publish()
    await till.grant(100, when="2026-01-01", until="2026-04-01")
    spent = await till.redeem(80, when="2026-03-20 10:00")
    # At that very instant the 20 that were never spent expire too; they did not come back.
    answer = await till.reverse(spent, when="2026-04-01 00:00")
    assert (answer["restored"], answer["expired"], answer["balance"]) == (80, 80, 0)


async def test_p10_a_first_purchase_that_reaches_a_tier_says_so(till: AtTheTill) -> None:
    await till.publish(tiers=TIERS)
    await till.sell(100_000, when="2026-02-01 10:00")
    *_, moved = await till.shop.told()
    assert moved.type == "loyalty.tier_changed.v1"
    assert (moved.data["from_tier"], moved.data["to_tier"]) == ("base", "gold")


async def test_points_are_given_only_into_the_programmes_own_wallet(till: AtTheTill) -> None:
    await till.publish()
    body = {"points": 5, "reason": "goodwill", "wallet": "stamps"}
    refused = await till.ask("POST", f"/v1/accounts/{ANNA}/adjustments", body, status=422, key="stamps")
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("unknown_programme", "/wallet")


async def test_a_programme_keeps_its_wallet(till: AtTheTill) -> None:
    await till.publish()
    refused = await till.ask("PUT", "/v1/programmes/club", a_document(wallet="stars"), status=422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("invalid_programme", "/wallet")
