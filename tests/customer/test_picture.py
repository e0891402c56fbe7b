"""The customer from all sides: what others told, how old it is, and nothing made up."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from customer.others import (
    a_balance,
    a_claim,
    a_message,
    a_purchase,
    a_return,
    a_score,
    a_tier,
    a_void,
    as_told,
    days_ago,
    entered,
    left,
    picture,
    tell,
)
from customer.shop import Shop, ann, code_of
from regulars_contracts.events import loyalty


async def test_of_a_customer_who_just_registered_nothing_is_made_up(shop: Shop) -> None:
    customer_id = await shop.register(**ann())
    told = await picture(shop, customer_id)
    assert (told["customer"]["name"], told["customer"]["id"]) == ("Ann Archer", customer_id)
    assert [item["purpose"] for item in told["consents"] if item["granted"]] == ["marketing"]
    assert told["stage"]["value"] == {"stage": "prospect", "since": told["customer"]["registered_at"]}
    unknown = {name: told[name]["reason"] for name in told if name not in ("customer", "consents", "stage")}
    assert unknown == {
        "purchases": "no_purchase_yet",
        "balances": "no_points_yet",
        "tiers": "no_tier_yet",
        "score": "not_scored_yet",
        "segments": "in_no_segment_yet",
        "messages": "none_yet",
        "touches": "none_yet",
    }
    assert all(told[name]["value"] is told[name]["age_s"] is None for name in unknown)


async def test_the_picture_is_made_of_what_the_others_told(shop: Shop) -> None:
    customer_id = await shop.register()
    anna = UUID(customer_id)
    shoes = a_purchase(anna, days_ago(3), total_minor=9900, balance=a_balance(90))
    await tell(shop, shoes, a_return(shoes, 900, balance=a_balance(81)), a_tier(anna), a_score(anna), entered(anna))
    await tell(shop, a_message(anna))
    told = await picture(shop, customer_id)
    purchases = told["purchases"]["value"]
    assert (purchases["count"], purchases["net_minor"]) == (1, {"EUR": 9000})
    assert datetime.fromisoformat(purchases["last_at"]) == shoes.occurred_at
    assert told["balances"]["value"] == [
        {"programme": "main", "wallet": "points", "spendable": 81, "pending": 0, "held": 0, "debt": 0}
    ]
    assert [(tier["programme"], tier["tier"]) for tier in told["tiers"]["value"]] == [("main", "gold")]
    assert (told["score"]["value"]["rfm_segment"], told["score"]["value"]["clv_major"]) == ("champions", 412)
    assert [segment["segment"] for segment in told["segments"]["value"]] == ["vips"]
    assert [message["figures"]["step"] for message in told["messages"]["value"]] == ["first"]
    assert [touch["kind"] for touch in told["touches"]["value"]] == [
        *("message_sent", "purchase_returned", "purchase_recorded")
    ]
    assert told["stage"]["value"]["stage"] == "customer"


async def test_each_part_says_how_old_it_is(shop: Shop) -> None:
    customer_id = await shop.register()
    anna, recorded_at = UUID(customer_id), days_ago(2)
    await tell(shop, as_told(a_score(anna), at=recorded_at), a_tier(anna))
    told = await picture(shop, customer_id)
    assert datetime.fromisoformat(told["score"]["as_of"]) == recorded_at
    assert datetime.fromisoformat(told["score"]["updated_at"]) - recorded_at >= timedelta(days=2)
    assert 2 * 86_400 <= told["score"]["age_s"] < 2 * 86_400 + 3_600
    assert told["tiers"]["age_s"] < 3_600


async def test_of_two_balances_the_one_with_the_later_number_holds_whichever_comes_last(shop: Shop) -> None:
    customer_id = await shop.register()
    anna = UUID(customer_id)
    await tell(
        shop, a_purchase(anna, balance=a_balance(70, seq=1007)), a_purchase(anna, balance=a_balance(60, seq=1006))
    )
    told = await picture(shop, customer_id)
    assert [balance["spendable"] for balance in told["balances"]["value"]] == [70]
    assert told["purchases"]["value"]["count"] == 2


async def test_of_two_scores_the_one_told_later_holds_whichever_comes_last(shop: Shop) -> None:
    customer_id = await shop.register()
    anna = UUID(customer_id)
    await tell(shop, as_told(a_score(anna), at=days_ago(1)), as_told(a_score(anna, "at risk"), at=days_ago(2)))
    assert (await picture(shop, customer_id))["score"]["value"]["rfm_segment"] == "champions"


async def test_who_has_left_a_segment_is_not_brought_back_by_an_old_entry(shop: Shop) -> None:
    customer_id = await shop.register()
    anna = UUID(customer_id)
    await tell(shop, as_told(left(anna), at=days_ago(1)), as_told(entered(anna), at=days_ago(2)))
    told = await picture(shop, customer_id)
    assert (told["segments"]["value"], told["segments"]["reason"]) == ([], None)


async def test_a_return_heard_before_its_purchase_waits_for_it(shop: Shop) -> None:
    customer_id = await shop.register()
    shoes = a_purchase(UUID(customer_id), total_minor=5000)
    await tell(shop, a_return(shoes, 2000))
    assert (await picture(shop, customer_id))["purchases"]["value"]["count"] == 0
    await tell(shop, shoes)
    purchases = (await picture(shop, customer_id))["purchases"]["value"]
    assert (purchases["count"], purchases["net_minor"]) == (1, {"EUR": 3000})


async def test_a_return_that_matched_no_purchase_lessens_what_was_spent(shop: Shop) -> None:
    customer_id = await shop.register()
    anna = UUID(customer_id)
    await tell(shop, a_purchase(anna, total_minor=5000), a_return(None, 2000, customer_id=anna), a_return(None, 100))
    purchases = (await picture(shop, customer_id))["purchases"]["value"]
    assert (purchases["count"], purchases["net_minor"]) == (1, {"EUR": 3000})


async def test_a_voided_purchase_never_happened(shop: Shop) -> None:
    customer_id = await shop.register()
    mistake = a_purchase(UUID(customer_id))
    await tell(shop, mistake, a_void(mistake))
    told = await picture(shop, customer_id)
    assert (told["purchases"]["value"]["count"], told["purchases"]["value"]["net_minor"]) == (0, {"EUR": 0})
    assert told["stage"]["value"]["stage"] == "prospect"


async def test_purchases_in_two_currencies_are_never_added_up(shop: Shop) -> None:
    customer_id = await shop.register()
    anna = UUID(customer_id)
    await tell(shop, a_purchase(anna, total_minor=100), a_purchase(anna, total_minor=700, currency="CHF"))
    purchases = (await picture(shop, customer_id))["purchases"]["value"]
    assert (purchases["count"], purchases["net_minor"]) == (2, {"EUR": 100, "CHF": 700})


async def test_a_purchase_claimed_later_is_theirs_with_all_that_happened_to_it(shop: Shop) -> None:
    customer_id = await shop.register()
    found = a_purchase(None, days_ago(4), total_minor=5000)
    await tell(shop, found, a_return(found, 1000))
    assert (await picture(shop, customer_id))["purchases"]["reason"] == "no_purchase_yet"
    await tell(shop, a_claim(found, UUID(customer_id)))
    told = await picture(shop, customer_id)
    assert (told["purchases"]["value"]["count"], told["purchases"]["value"]["net_minor"]) == (1, {"EUR": 4000})
    assert [touch["kind"] for touch in told["touches"]["value"]] == ["purchase_returned", "purchase_recorded"]


async def test_a_claim_heard_before_its_purchase_waits_for_it(shop: Shop) -> None:
    customer_id = await shop.register()
    found = a_purchase(None)
    await tell(shop, a_claim(found, UUID(customer_id)), found)
    told = await picture(shop, customer_id)
    assert (told["purchases"]["value"]["count"], told["stage"]["value"]["stage"]) == (1, "customer")
    assert [touch["kind"] for touch in told["touches"]["value"]] == ["purchase_recorded"]


async def test_an_event_heard_twice_counts_once(shop: Shop) -> None:
    customer_id = await shop.register()
    shoes = a_purchase(UUID(customer_id), total_minor=5000)
    bought, returned = as_told(shoes), as_told(a_return(shoes, 1000))
    await tell(shop, bought, bought, returned, returned, bought)
    purchases = (await picture(shop, customer_id))["purchases"]["value"]
    assert (purchases["count"], purchases["net_minor"]) == (1, {"EUR": 4000})


async def test_what_others_told_of_somebody_nobody_registered_waits_for_them(shop: Shop) -> None:
    stranger = uuid4()
    await tell(shop, a_purchase(stranger), a_score(stranger))
    response = await shop.send("GET", f"/v1/customers/{stranger}/360")
    assert code_of(response) == (404, "unknown_customer")
    assert (await shop.count("life_cycles"), await shop.count("parts")) == (1, 2)


async def test_an_event_that_does_not_fit_its_type_is_set_aside(shop: Shop) -> None:
    assert shop.service.consumer is not None
    good = as_told(a_tier(uuid4()))
    broken = good.body.replace(b'"to_tier":"gold"', b'"to_tier":7')
    outcome = await shop.service.consumer.handle(type(good)(good.event_id, good.type, good.key, broken))
    assert outcome is not None and outcome[0].startswith("ValidationError")
    later = type(good)(good.event_id, "loyalty.tier_changed.v2", good.key, good.body)
    assert await shop.service.consumer.handle(later) == ("unknown version: loyalty.tier_changed.v2", 0)


async def test_a_balance_that_changed_for_no_told_reason_is_a_part_and_no_line(shop: Shop) -> None:
    customer_id = await shop.register()
    anna = UUID(customer_id)
    changed = loyalty.BalanceChanged(
        customer_id=anna, programme="main", wallet="points", occurred_at=days_ago(0), balance=a_balance(33)
    )
    await tell(shop, changed)
    assert (await picture(shop, customer_id))["balances"]["value"][0]["spendable"] == 33
    assert await shop.count("timeline") == 1, "the registration's alone"
