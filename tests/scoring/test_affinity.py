"""What is bought together: a run counts the baskets of a year, and says what chance does not explain."""

from __future__ import annotations

import random
from datetime import date, timedelta
from math import sqrt
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from builders import ANNA, BEN
from regulars_contracts.events import Event
from regulars_scoring import worker
from regulars_scoring.adapters.db import bulk
from regulars_scoring.domain.affinity import LARGEST_BASKET, YEAR_DAYS
from regulars_scoring.domain.goods import NOT_GOODS
from scoring.shop import TODAY, Shop, a_claim, a_crowd, code_of
from scoring.tea_shop import a_receipt, a_usual_year, goods_back, hear_all, pairs_of, times


async def affinity(shop: Shop, sku: str, **asked: object) -> dict[str, Any]:
    query = "".join(f"&{name}={value}" for name, value in asked.items())
    return await shop.get(f"/v1/scoring/affinity?sku={sku}{query}")


async def test_who_buys_tea_buys_a_cup_and_the_answer_shows_how_it_was_reckoned(shop: Shop) -> None:
    await hear_all(shop, a_usual_year())
    run = await shop.run()
    answer = await affinity(shop, "TEA")
    assert answer["counted"] == {
        "run_id": run["id"],
        "since": "2025-07-01",
        "as_of": "2026-06-30",
        "currency": "EUR",
        "baskets": 100,
        "oversized": 0,
    }
    assert answer["product"] == {"sku": "TEA", "category": "drinks", "baskets": 30, "usual_minor": 300}
    (cup,) = answer["items"]
    assert cup["product"] == {"sku": "CUP", "category": "china", "baskets": 25, "usual_minor": 500}
    assert (cup["together"], cup["support"]) == (20, 20 / 100)
    assert cup["confidence"] == pytest.approx(20 / 30)
    assert cup["lift"] == pytest.approx((20 / 30) / (25 / 100))  # 2.67 times as often as in any basket
    # Wilson: (p + z²/2n - z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n), with p = 2/3, n = 30, z² = 3.8415
    low = (2 / 3 + 3.841459 / 60 - sqrt(3.841459 * (2 / 9) / 30 + 3.841459**2 / 3600)) / (1 + 3.841459 / 30)
    assert cup["confidence_low"] == pytest.approx(low, rel=1e-6) == pytest.approx(0.4878, abs=5e-5)
    assert cup["lift_low"] == pytest.approx(low * 100 / 25, rel=1e-6)


async def test_what_goes_with_nothing_is_known_and_what_nobody_bought_is_not(shop: Shop) -> None:
    await hear_all(shop, a_usual_year())
    assert code_of(await shop.send("GET", "/v1/scoring/affinity?sku=TEA")) == (404, "not_scored_yet")
    await shop.run()
    assert (await affinity(shop, "BREAD"))["items"] == []
    unknown = await shop.send("GET", "/v1/scoring/affinity?sku=COFFEE")
    assert code_of(unknown) == (404, "unknown_product")
    assert "from 2025-07-01 to 2026-06-30" in unknown.json()["detail"]
    assert "COFFEE" not in unknown.text


async def test_what_is_bought_together_needs_no_customer(shop: Shop) -> None:
    await hear_all(shop, a_usual_year())
    run = await shop.run()
    assert (run["state"], run["failure"]["code"]) == ("failed", "too_few_purchases")
    assert await pairs_of(shop, "CUP") == {"TEA": 20}


async def test_a_run_that_is_fitted_counts_as_well(shop: Shop) -> None:
    await hear_all(shop, [*a_usual_year(), *a_crowd()])
    assert (await shop.run())["state"] == "completed"
    assert await pairs_of(shop, "CUP") == {"TEA": 20}


async def test_what_came_back_was_in_no_basket(shop: Shop) -> None:
    cups, teas, both, voided, cheaper = (a_receipt("TEA CUP") for _ in range(5))
    gift = a_receipt({"TEA": 300, "CUP": 0})
    back: list[Event] = [
        goods_back(cups, "CUP"),
        goods_back(teas, {"TEA": 100}),
        goods_back(teas, {"TEA": 200}),
        goods_back(both, "TEA CUP"),
        goods_back(voided, {}, voided=True),
        goods_back(cheaper, {"CUP": 499}),  # some of its price was kept, and so was the cup
        goods_back(gift, {"CUP": 0}),
    ]
    await hear_all(shop, [*a_usual_year(), cups, teas, both, voided, cheaper, gift, *back])
    await shop.run()
    answer = await affinity(shop, "TEA")
    # 100 and cups, teas, cheaper, gift; tea in 30 of them and in cups, cheaper, gift; both in cheaper.
    assert (answer["counted"]["baskets"], answer["product"]["baskets"]) == (104, 33)
    assert await pairs_of(shop, "TEA") == {"CUP": 21}


async def test_baskets_of_a_year_are_counted_and_no_others(shop: Shop) -> None:
    first = TODAY - timedelta(days=YEAR_DAYS - 1)
    days = (first - timedelta(days=1), first, TODAY, TODAY + timedelta(days=1))
    await hear_all(shop, [*a_usual_year(), *(a_receipt("TEA CUP", day) for day in days)])
    await shop.run()
    assert await pairs_of(shop, "TEA") == {"CUP": 22}
    await shop.run(as_of=str(first - timedelta(days=1)))
    assert (await affinity(shop, "TEA"))["counted"]["baskets"] == 1


async def test_a_wholesalers_receipt_makes_no_pairs(shop: Shop) -> None:
    whole_shop = " ".join(f"SKU-{number:04}" for number in range(1114))
    largest = " ".join(f"SKU-{number:04}" for number in range(LARGEST_BASKET))
    year = [*times(40, "TEA CUP"), *times(159, "BREAD")]
    await hear_all(shop, [*year, *times(6, f"TEA CUP {whole_shop}"), a_receipt(largest)])
    await shop.run()
    answer = await affinity(shop, "TEA")
    assert (answer["counted"]["baskets"], answer["counted"]["oversized"]) == (200, 6)
    assert {pair["product"]["sku"]: pair["together"] for pair in answer["items"]} == {"CUP": 40}
    assert (await affinity(shop, "SKU-0099"))["product"]["baskets"] == 1
    assert code_of(await shop.send("GET", "/v1/scoring/affinity?sku=SKU-1113")) == (404, "unknown_product")


async def test_postage_goes_with_everything_and_is_no_product(shop: Shop) -> None:
    await hear_all(shop, [*times(20, "TEA CUP POST"), *times(80, "BREAD")])
    await shop.run()
    assert await pairs_of(shop, "TEA") == {"CUP": 20}
    assert code_of(await shop.send("GET", "/v1/scoring/affinity?sku=POST")) == (404, "unknown_product")


async def test_another_currency_counts_as_a_basket_and_tells_no_price(shop: Shop) -> None:
    swiss = [a_receipt({"TEA": 9900, "POT": 9900}, currency="CHF") for _ in range(20)]
    await hear_all(shop, [*a_usual_year(), *swiss, *times(100, "BREAD")])
    await shop.run()
    answer = await affinity(shop, "TEA")
    assert answer["product"] == {"sku": "TEA", "category": "drinks", "baskets": 50, "usual_minor": 300}
    assert {pair["product"]["sku"]: pair["product"]["usual_minor"] for pair in answer["items"]} == {
        "POT": None,
        "CUP": 500,
    }


async def test_the_usual_price_is_what_half_of_the_baskets_pay_less_than(shop: Shop) -> None:
    prices = (100, 200, 300, 400, 1_000_000)
    await hear_all(shop, [a_receipt({"TEA": price, "CUP": min(price, 400)}) for price in (*prices, 300)])
    await shop.run()
    # of 100 200 300 300 400 1000000 the lower of the two in the middle
    assert (await affinity(shop, "TEA"))["product"]["usual_minor"] == 300


async def test_a_category_is_the_one_that_most_baskets_told(shop: Shop) -> None:
    named = [a_receipt("CAKE") for _ in range(5)]
    told = ("sweets", "sweets", "bakery", "bakery", None)
    lines = [(sale.lines[0].model_copy(update={"category": name}),) for sale, name in zip(named, told, strict=True)]
    await hear_all(shop, [sale.model_copy(update={"lines": each}) for sale, each in zip(named, lines, strict=True)])
    await shop.run()
    assert (await affinity(shop, "CAKE"))["product"]["category"] == "bakery"  # as often as sweets, and before it


async def test_a_sku_is_told_as_the_till_wrote_it(shop: Shop) -> None:
    odd = ['{"a,b"}', "back\\slash'", "NULL", "Käse", "🫖", "100 %&=+", "z" * 255]
    receipts = [a_receipt(dict.fromkeys(odd, 100)) for _ in range(20)]
    await hear_all(shop, [*receipts, *(goods_back(sale, {"NULL": 100}) for sale in receipts[:5]), *times(400, "BREAD")])
    await shop.run()
    for sku in odd:
        answer = await affinity(shop, quote(sku, safe=""))
        assert answer["product"]["baskets"] == (15 if sku == "NULL" else 20)
        assert {pair["product"]["sku"] for pair in answer["items"]} == set(odd) - {sku}


async def test_a_sku_that_no_database_can_hold_is_a_dead_letter_and_spoils_no_other(shop: Shop) -> None:
    await hear_all(shop, [*times(5, "TEA"), a_receipt({"TEA": 300, "C\0P": 500}), *times(5, "CUP")])
    assert await shop.rows("SELECT count(*) FROM dead_letters") == [(1,)]
    assert await shop.rows("SELECT count(*) FROM goods") == await shop.rows("SELECT count(*) FROM purchases") == [(10,)]


def a_story() -> list[Event]:
    """A usual year with returns in parts and whole, a void, and purchases that are claimed late."""
    sales = [a_receipt("TEA CUP POT", date(2026, 3, 1 + number), ANNA) for number in range(9)]
    unclaimed = [a_receipt("TEA POT CAKE", customer_id=None) for _ in range(3)]
    return [
        *times(12, "TEA CUP"),
        *times(10, "POT CAKE"),
        *times(30, "BREAD"),
        *sales,
        *unclaimed,
        *(a_claim(sale, ANNA) for sale in unclaimed),
        a_receipt("CAKE BREAD", customer_id=BEN),
        goods_back(sales[0], {"CUP": 200}),
        goods_back(sales[0], {"CUP": 300}),
        goods_back(sales[1], {"CUP": 499}),
        goods_back(sales[2], "TEA CUP POT"),
        goods_back(sales[3], "TEA", voided=True),
        goods_back(unclaimed[0], "CAKE"),
    ]


async def everything(shop: Shop) -> list[object]:
    """All that can be asked, but for the run."""
    answers = [await affinity(shop, sku) for sku in ("TEA", "CUP", "POT", "CAKE", "BREAD")]
    answers += [await shop.get(f"/v1/scoring/next-best/{customer}") for customer in (ANNA, BEN)]
    return [{**answer, "counted": {**answer["counted"], "run_id": None}} for answer in answers]


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_with_doubles_leaves_the_same_baskets(shop: Shop, seed: int) -> None:
    story, chance = a_story(), random.Random(seed)
    await hear_all(shop, story)
    await shop.run()
    in_order = await everything(shop)
    assert any(pair for pair in in_order if pair["items"])  # type: ignore[index]
    await shop.begins_anew()
    mixed = story + chance.sample(story, 20)
    chance.shuffle(mixed)
    await shop.hear(*mixed[:40])
    await hear_all(shop, mixed[40:])
    await shop.run()
    assert await everything(shop) == in_order


async def test_the_next_run_replaces_what_the_last_one_found(shop: Shop) -> None:
    await hear_all(shop, a_usual_year())
    await shop.run()
    await hear_all(shop, times(10, "CUP CAKE"))
    assert await pairs_of(shop, "CUP") == {"TEA": 20}
    await shop.run()
    assert await pairs_of(shop, "CUP") == {"TEA": 20, "CAKE": 10}


async def test_a_worker_left_over_from_an_earlier_run_comes_too_late(shop: Shop) -> None:
    await hear_all(shop, a_usual_year())
    early, late = (await shop.run())["id"], (await shop.run())["id"]
    await hear_all(shop, times(10, "TEA CUP"))
    connection = await bulk.connect(shop.service.database.url)
    try:
        run = await bulk.find_run(connection, UUID(early))
        assert run is not None
        await worker.count_baskets(connection, run, NOT_GOODS)
    finally:
        await connection.close()
    assert (await affinity(shop, "TEA"))["counted"]["run_id"] == late
    assert await pairs_of(shop, "TEA") == {"CUP": 20}


async def test_of_many_pairs_the_first_are_shown(shop: Shop) -> None:
    await hear_all(shop, [*times(20, "TEA CUP POT"), *times(20, "TEA CUP CAKE"), *times(60, "BREAD")])
    await shop.run()
    every = await affinity(shop, "TEA")
    assert [pair["product"]["sku"] for pair in every["items"]] == ["CUP", "CAKE", "POT"]
    lifts = [pair["lift_low"] for pair in every["items"]]
    assert lifts == sorted(lifts, reverse=True)
    assert (await affinity(shop, "TEA", limit=2))["items"] == every["items"][:2]
