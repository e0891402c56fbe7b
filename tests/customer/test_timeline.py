"""Everything that happened between a customer and the shop, newest first."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

import pytest

from customer.others import (
    a_claim,
    a_message,
    a_purchase,
    a_return,
    a_score,
    a_tier,
    as_told,
    days_ago,
    entered,
    kinds,
    left,
    tell,
    timeline,
)
from customer.shop import Shop, ann, code_of, place_of
from regulars_contracts.events import Event, campaign, loyalty, scoring
from regulars_customer.adapters.bus.heard import handlers
from regulars_customer.domain.timeline import Kind


async def test_what_a_customer_did_and_what_was_done_stand_in_one_list(shop: Shop) -> None:
    customer_id = await shop.register(**ann(identifiers=[]))
    anna = UUID(customer_id)
    await tell(shop, a_purchase(anna, days_ago(9)), entered(anna), left(anna), a_message(anna), a_tier(anna))
    found = await kinds(shop, customer_id)
    assert sorted(found[:4]) == ["consent_changed", "message_sent", "registered", "tier_changed"]
    assert found[4:] == ["segment_left", "segment_entered", *sorted(found[6:], reverse=False)]
    assert set(found[6:]) == {"purchase_recorded", "stage_changed"}


async def test_it_is_ordered_by_when_things_happened_and_not_by_when_they_were_told(shop: Shop) -> None:
    customer_id = await shop.register()
    anna = UUID(customer_id)
    for days in (5, 30, 2, 11):
        await tell(shop, a_purchase(anna, days_ago(days), total_minor=days))
    page = await timeline(shop, customer_id, "?kinds=purchase_recorded")
    assert [item["figures"]["total_minor"] for item in page["items"]] == [2, 5, 11, 30]


async def test_it_is_read_page_by_page_without_a_gap_or_a_double(shop: Shop) -> None:
    customer_id = await shop.register()
    anna, noon = UUID(customer_id), days_ago(3)
    await tell(shop, *(a_purchase(anna, noon if number % 2 else days_ago(number)) for number in range(1, 12)))
    whole = (await timeline(shop, customer_id))["items"]
    pages, query = [], "?limit=3"
    while True:
        page = await timeline(shop, customer_id, query)
        pages += page["items"]
        if page["next_cursor"] is None:
            break
        query = f"?limit=3&cursor={page['next_cursor']}"
    assert pages == whole
    assert len({item["event_id"] for item in pages}) == len(pages) == 15, "registered, 11 purchases, three stages"


async def test_an_entry_carries_the_figures_that_were_published(shop: Shop) -> None:
    customer_id = await shop.register()
    shoes = a_purchase(UUID(customer_id), total_minor=9900)
    told = as_told(shoes)
    await tell(shop, told)
    (entry,) = (await timeline(shop, customer_id, "?kinds=purchase_recorded"))["items"]
    assert entry["event_id"] == str(told.event_id)
    assert datetime.fromisoformat(entry["occurred_at"]) == shoes.occurred_at
    assert entry["figures"] == {
        "purchase_id": str(shoes.purchase_id),
        "programme": "main",
        "store": "koeln-1",
        "channel": None,
        "currency": "EUR",
        "total_minor": 9900,
        "lines": 1,
        "earned": 10,
        "points_paid": 0,
    }


async def test_a_score_is_a_line_when_its_words_change(shop: Shop) -> None:
    customer_id = await shop.register()
    anna = UUID(customer_id)
    await tell(shop, a_score(anna), a_score(anna, clv_major=500), a_score(anna, "at risk"))
    await tell(shop, a_score(anna, "at risk", churn_band="high"), as_told(a_score(anna, "lost"), at=days_ago(1)))
    assert await kinds(shop, customer_id, "?kinds=customer_scored") == ["customer_scored"] * 3


async def test_a_claimed_purchase_brings_what_happened_to_it_in_whatever_order_it_is_told(shop: Shop) -> None:
    customer_id = await shop.register()
    found = a_purchase(None, days_ago(4))
    await tell(shop, a_return(found), a_claim(found, UUID(customer_id)), found)
    assert set(await kinds(shop, customer_id)) == {
        *("registered", "purchase_recorded", "purchase_returned", "purchase_claimed", "stage_changed")
    }


async def test_kinds_are_the_ones_there_are(shop: Shop) -> None:
    path = f"/v1/customers/{await shop.register()}/timeline"
    response = await shop.send("GET", f"{path}?kinds=purchase_recorded,horoscope")
    assert (code_of(response), place_of(response)) == ((422, "invalid_field"), "kinds")


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwiYiJd", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwiYiJd", "%00"])
async def test_a_cursor_of_something_else_is_refused(shop: Shop, cursor: str) -> None:
    path = f"/v1/customers/{await shop.register()}/timeline?cursor={cursor}"
    assert (await shop.send("GET", path)).status_code in (400, 422)


@pytest.mark.parametrize("limit", ["0", "201", "many"])
async def test_pages_have_their_limits(shop: Shop, limit: str) -> None:
    path = f"/v1/customers/{await shop.register()}/timeline"
    assert (await shop.send("GET", f"{path}?limit={limit}")).status_code == 422
    assert (await shop.send("GET", f"{path}?limit=200")).status_code == 200


async def test_of_somebody_nobody_registered_there_is_no_timeline(shop: Shop) -> None:
    stranger = uuid4()
    await tell(shop, a_purchase(stranger))
    assert code_of(await shop.send("GET", f"/v1/customers/{stranger}/timeline")) == (404, "unknown_customer")


async def test_every_kind_of_event_that_points_at_a_customer_has_its_line(shop: Shop) -> None:
    customer_id = await shop.register()
    anna = UUID(customer_id)
    account = {
        "customer_id": anna,
        "programme": "main",
        "wallet": "points",
        "occurred_at": days_ago(1),
        "balance": loyalty.Balance(spendable=1, pending=0, held=0, debt=0, account_seq=1),
    }
    flag = {"flag_id": uuid4(), "kind": "velocity", "occurred_at": days_ago(1)}
    skipped = {"message_id": uuid4(), "campaign_id": uuid4(), "campaign": "win-back", "step": "first"}
    told: list[Event] = [
        loyalty.PointsEarned(**account, points=5, origin="bonus"),
        loyalty.PointsSpent(**account, points=5, redemption_id=uuid4()),
        loyalty.PointsRestored(**account, points=5, redemption_id=uuid4()),
        loyalty.PointsExpired(**account, points=5),
        loyalty.PointsAdjusted(**account, points=-5, adjustment_id=uuid4()),
        loyalty.FlagRaised(**flag, customer_id=anna),
        scoring.ChurnRiskRaised(customer_id=anna, run_id=uuid4(), churn_90="0.80", raised_at=days_ago(1)),
        campaign.MessageSkipped(
            **skipped, customer_id=anna, channel="sms", reason="no_consent", skipped_at=days_ago(1)
        ),
    ]
    await tell(shop, *told, loyalty.FlagRaised(**flag))
    names = {event.type.split(".")[1] for event in told}
    assert set(await kinds(shop, customer_id)) == names | {"registered"}


def test_every_kind_is_the_word_of_an_event() -> None:
    heard = {type_.split(".")[1] for type_ in handlers(lambda event_id: None)}  # type: ignore[arg-type, return-value]
    ours = {"registered", "identifier_linked", "identifier_unlinked", "consent_changed", "stage_changed"}
    assert {kind.value for kind in Kind} == (heard - {"balance_changed"}) | ours
