"""What a customer buys, what they may be offered next and why, and what they never buy."""

from __future__ import annotations

from math import floor
from typing import Any
from uuid import UUID

import pytest

from builders import ANNA, BEN
from scoring.shop import Shop, a_claim, a_registration, a_return, code_of, settings_for
from scoring.tea_shop import a_receipt, a_usual_year, goods_back, hear_all, times


async def next_best(shop: Shop, customer_id: UUID = ANNA, **asked: object) -> dict[str, Any]:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return await shop.get(f"/v1/scoring/next-best/{customer_id}?{query}")


def skus(items: list[dict[str, Any]]) -> list[str]:
    return [item["product"]["sku"] for item in items]


async def test_who_buys_tea_is_offered_a_cup_and_the_answer_says_why(shop: Shop) -> None:
    annas = [a_receipt({"TEA": 320}, "2026-03-01", ANNA), a_receipt("TEA BREAD", "2026-05-20", ANNA)]
    await hear_all(shop, [*a_usual_year(), *annas])
    await shop.run()
    answer = await next_best(shop)
    assert (answer["customer_id"], answer["products"], answer["counted"]["baskets"]) == (str(ANNA), 2, 102)
    assert answer["buys"] == [
        {"sku": "TEA", "category": "drinks", "baskets": 2, "last_day": "2026-05-20", "net_minor": 620},
        {"sku": "BREAD", "category": None, "baskets": 1, "last_day": "2026-05-20", "net_minor": 250},
    ]
    (offer,) = answer["next_best"]
    assert offer["product"] == {"sku": "CUP", "category": "china", "baskets": 25, "usual_minor": 500}
    because = offer["because"]
    assert (because["product"]["sku"], because["together"], because["product"]["baskets"]) == ("TEA", 20, 32)
    assert because["confidence"] == pytest.approx(20 / 32)  # of those with tea
    assert because["lift"] == pytest.approx((20 / 32) / (25 / 102))
    assert because["confidence_low"] == pytest.approx(0.4525, abs=5e-5)
    assert offer["expected_minor"] == floor(because["confidence_low"] * 500) == 226
    assert answer["never_buys"] == {
        "best_sellers": [offer["product"]],
        "categories": [{"name": "china", "products": 1, "sold": 25}],
    }


async def test_of_several_reasons_the_surest_is_told_and_the_dearest_offer_comes_first(shop: Shop) -> None:
    year = [*times(20, "TEA CUP CAKE"), *times(10, "TEA POT"), *times(10, "CUP BREAD"), *times(200, "MILK")]
    await hear_all(shop, [*year, a_receipt("TEA CUP", customer_id=ANNA)])
    await shop.run()
    offers = (await next_best(shop))["next_best"]
    # The pot goes with tea in 10 of 31, of 25.00; the cake in 20 of 31 with tea and as many with a cup, of 4.00.
    assert [(offer["product"]["sku"], offer["because"]["product"]["sku"]) for offer in offers] == [
        ("POT", "TEA"),
        ("CAKE", "CUP"),
        ("BREAD", "CUP"),
    ]
    assert [offer["because"]["together"] for offer in offers] == [10, 20, 10]
    gains = [offer["expected_minor"] for offer in offers]
    assert gains == sorted(gains, reverse=True)


async def test_what_was_sent_back_is_neither_bought_nor_offered_again(shop: Shop) -> None:
    kept, gone = a_receipt("TEA CUP", customer_id=ANNA), a_receipt("CUP", customer_id=ANNA)
    await hear_all(shop, [*a_usual_year(), kept, gone, goods_back(kept, "CUP"), goods_back(gone, "CUP")])
    await shop.run()
    answer = await next_best(shop)
    assert [each["sku"] for each in answer["buys"]] == ["TEA"]
    assert answer["next_best"] == []
    assert [each["sku"] for each in answer["never_buys"]["best_sellers"]] == ["BREAD"]


async def test_what_a_voided_receipt_held_was_never_bought(shop: Shop) -> None:
    mistake = a_receipt("CUP", customer_id=ANNA)
    await hear_all(
        shop, [*a_usual_year(), a_receipt("TEA", customer_id=ANNA), mistake, goods_back(mistake, {}, voided=True)]
    )
    await shop.run()
    assert skus((await next_best(shop))["next_best"]) == ["CUP"]


async def test_a_purchase_after_the_run_counts_at_once_and_so_does_one_that_is_claimed(shop: Shop) -> None:
    tea, cup = a_receipt("TEA"), a_receipt("CUP", customer_id=ANNA)
    await hear_all(shop, [*a_usual_year(), tea, a_registration()])
    await shop.run()
    assert (await next_best(shop))["products"] == 0
    await shop.hear(a_claim(tea))
    assert skus((await next_best(shop))["next_best"]) == ["CUP"]
    await shop.hear(cup)
    answer = await next_best(shop)
    assert (answer["products"], answer["next_best"]) == (2, [])


async def test_who_has_bought_nothing_is_shown_what_others_buy(shop: Shop) -> None:
    await hear_all(shop, [*a_usual_year(), a_registration()])
    await shop.run()
    answer = await next_best(shop)
    assert (answer["products"], answer["buys"], answer["next_best"]) == (0, [], [])
    assert [each["sku"] for each in answer["never_buys"]["best_sellers"]] == ["BREAD", "TEA", "CUP"]
    assert [each["name"] for each in answer["never_buys"]["categories"]] == ["drinks", "china"]
    first = await next_best(shop, limit=1)
    assert first["never_buys"] == {name: items[:1] for name, items in answer["never_buys"].items()}


async def test_a_category_is_bought_by_what_is_sold_no_longer_and_by_what_was_told_without_it(shop: Shop) -> None:
    old = a_receipt({"POT": 2500}, "2019-12-24", ANNA)
    (line,) = a_receipt("TEA").lines
    untold = a_receipt("TEA", customer_id=ANNA).model_copy(
        update={"lines": (line.model_copy(update={"category": None}),)}
    )
    await hear_all(shop, [*a_usual_year(), *times(5, "CAKE"), old, untold])
    await shop.run()
    assert (await next_best(shop))["never_buys"]["categories"] == []


async def test_postage_is_not_bought_and_another_shop_may_call_it_otherwise(shop: Shop) -> None:
    await hear_all(shop, [*a_usual_year(), a_receipt("TEA POST", customer_id=ANNA)])
    await shop.run()
    assert [each["sku"] for each in (await next_best(shop))["buys"]] == ["TEA"]
    assert settings_for("postgresql+asyncpg://x", not_goods=["carriage"]).not_goods == ("carriage",)


async def test_money_of_another_currency_is_not_added_up(shop: Shop) -> None:
    await hear_all(shop, [a_receipt("TEA", "2026-02-01", ANNA), a_receipt("TEA", "2026-03-01", ANNA, currency="CHF")])
    await shop.run()
    (tea,) = (await next_best(shop))["buys"]
    assert (tea["baskets"], tea["net_minor"], tea["last_day"]) == (2, 300, "2026-03-01")


async def test_a_return_of_no_known_purchase_takes_nothing_out_of_a_basket(shop: Shop) -> None:
    lost = a_return(300, customer_id=ANNA)
    await hear_all(shop, [*a_usual_year(), a_receipt({"SHOE-42": 300}, customer_id=ANNA), lost])
    await shop.run()
    assert [each["sku"] for each in (await next_best(shop))["buys"]] == ["SHOE-42"]


async def test_nobody_is_offered_anything_before_the_first_run_and_a_stranger_never(shop: Shop) -> None:
    await shop.hear(a_receipt("TEA", customer_id=ANNA))
    assert code_of(await shop.send("GET", f"/v1/scoring/next-best/{ANNA}")) == (404, "not_scored_yet")
    assert code_of(await shop.send("GET", f"/v1/scoring/next-best/{BEN}")) == (404, "unknown_customer")
    await shop.run()
    assert code_of(await shop.send("GET", f"/v1/scoring/next-best/{BEN}")) == (404, "unknown_customer")
