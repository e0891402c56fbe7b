"""Segments: made, previewed, explained; their members come and go with the events, and with the days."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from campaign.happenings import (
    ANNA,
    BEN,
    balance_changed,
    bought,
    consented,
    registered,
    scored,
    staged,
    tier_changed,
    traits_changed,
)
from campaign.shop import NOON, Shop, code_of, place_of
from regulars_contracts.events import Event

GERMANS = {"trait": "country", "in": ["DE"]}
REGULARS = {"purchases": {"count": True, "last": "P30D"}, "gte": 2}


async def test_a_new_segment_has_the_members_that_its_rule_says(shop: Shop) -> None:
    await shop.hear(registered(ANNA, country="DE"))
    await shop.hear(registered(BEN, country="GB"))
    made = await shop.make("/v1/segments", {"code": "germans", "name": "From Germany", "rule": GERMANS})
    assert (made["status"], made["members"], made["rule"]) == ("building", 0, GERMANS)
    await shop.do_jobs()
    read = await shop.get(f"/v1/segments/{made['id']}")
    assert (read["status"], read["members"], read["judged_on"]) == ("ready", 1, "2026-03-20")
    assert await shop.members(made["id"]) == {ANNA}
    (entered,) = await shop.told()
    assert (entered.type, entered.subject) == ("campaign.segment_entered.v1", str(ANNA))
    assert (entered.data["segment"], entered.data["segment_id"]) == ("germans", made["id"])
    assert entered.event(), "fits its published schema"


@pytest.mark.parametrize(
    ("rule", "event", "opposite"),
    [
        (GERMANS, registered(country="DE"), traits_changed(country="AT", at=NOON)),
        ({"trait": "tags", "eq": "vip"}, registered(tags=("a", "vip")), traits_changed(at=NOON)),
        ({"consent": "marketing/email"}, consented(), consented(granted=False)),
        ({"stage": {"eq": "loyal"}}, staged(), staged(stage="lapsed")),
        ({"tier": {"in": ["gold"]}}, tier_changed(), tier_changed(tier="silver")),
        ({"balance": {"gte": 100}}, balance_changed(points=100), balance_changed(points=99, seq=2)),
        ({"score": "rfm_segment", "eq": "at risk"}, scored(), scored(rfm_segment="champions")),
        ({"score": "churn_90", "gte": 0.81}, scored(), scored(churn_90="0.80")),
        ({"score": "recency", "lte": 1}, scored(), scored(rfm=(5, 5, 5))),
    ],
)
async def test_membership_follows_the_event(shop: Shop, rule: Any, event: Event, opposite: Event) -> None:
    segment = await shop.segment(rule)
    await shop.hear(event)
    assert await shop.members(segment) == {ANNA}
    await shop.hear(opposite)
    assert await shop.members(segment) == set()
    assert await shop.types() == ["campaign.segment_entered.v1", "campaign.segment_left.v1"]


async def test_an_event_that_touches_no_rule_changes_no_membership(shop: Shop) -> None:
    segment = await shop.segment(GERMANS)
    await shop.hear(registered(country="DE"))
    await shop.hear(bought())
    await shop.hear(registered(BEN))
    assert await shop.members(segment) == {ANNA}
    assert len(await shop.told()) == 1


async def test_a_customer_of_whom_one_thing_is_heard_fulfils_what_asks_for_nothing(shop: Shop) -> None:
    segment = await shop.segment({"none": [{"purchases": {"count": True}, "gte": 1}]}, code="never-bought")
    await shop.hear(consented())
    assert await shop.members(segment) == {ANNA}
    await shop.hear(bought())
    assert await shop.members(segment) == set()


async def test_a_missing_value_is_false_and_its_negation_is_not_the_opposite_comparison(shop: Shop) -> None:
    await shop.hear(registered(ANNA))
    await shop.hear(balance_changed(BEN, 5))
    assert (await shop.preview({"balance": {"lt": 10}}))["sample"] == [str(BEN)]
    assert (await shop.preview({"balance": {"gte": 10}}))["sample"] == []
    assert (await shop.preview({"none": [{"balance": {"gte": 10}}]}))["count"] == 2


async def test_what_only_time_changes_is_swept(shop: Shop) -> None:
    segment = await shop.segment(REGULARS)
    await shop.hear(bought(at=NOON - timedelta(days=30)))
    await shop.hear(bought())
    assert await shop.members(segment) == {ANNA}, "thirty days ago is within the window"
    shop.clock.pass_days(1)
    await shop.sweep()
    assert await shop.members(segment) == set()
    assert await shop.types() == ["campaign.segment_entered.v1", "campaign.segment_left.v1"]
    assert (await shop.get(f"/v1/segments/{segment}"))["judged_on"] == "2026-03-21"


async def test_a_day_ends_at_midnight_in_the_shops_zone(shop: Shop) -> None:
    # 23:30 UTC on 20 March is half past midnight in Berlin, on the 21st.
    shop.clock.now = NOON.replace(hour=23, minute=30)
    await shop.hear(bought(at=shop.clock.now))
    rule = {"purchases": {"count": True, "last": "P1D"}, "gte": 1}
    assert (await shop.preview(rule))["count"] == 1
    shop.clock.now = NOON.replace(day=22, hour=22, minute=59)
    assert (await shop.preview(rule))["count"] == 1, "still the 22nd: yesterday is within"
    shop.clock.now = NOON.replace(day=22, hour=23)
    assert (await shop.preview(rule))["count"] == 0


async def test_a_preview_counts_and_shows_some_and_stores_nothing(shop: Shop) -> None:
    customers = sorted(uuid4() for _ in range(25))
    for customer in customers:
        await shop.hear(registered(customer, country="DE"))
    preview = await shop.preview(GERMANS)
    assert preview["count"] == 25
    assert preview["sample"] == [str(customer) for customer in customers[:20]]
    assert (await shop.get("/v1/segments"))["items"] == []


async def test_why_shows_the_verdict_of_each_node(shop: Shop) -> None:
    rule = {"all": [GERMANS, {"none": [{"balance": {"gte": 100}}]}, {"any": [{"consent": "marketing/sms"}, GERMANS]}]}
    segment = await shop.segment(rule)
    await shop.hear(registered(country="DE"))
    await shop.hear(balance_changed(points=150))
    why = await shop.get(f"/v1/segments/{segment}/why?customer_id={ANNA}")
    assert (why["member"], why["verdict"]) == (False, False)
    assert {node["pointer"]: node["verdict"] for node in why["nodes"]} == {
        "": False,
        "/all/0": True,
        "/all/1": False,
        "/all/1/none/0": True,
        "/all/2": True,
        "/all/2/any/0": False,
        "/all/2/any/1": True,
    }
    assert why["nodes"][3]["rule"] == {"balance": {"gte": 100}}


async def test_why_of_somebody_never_heard_of(shop: Shop) -> None:
    segment = await shop.segment(GERMANS)
    unknown = await shop.send("GET", f"/v1/segments/{segment}/why?customer_id={uuid4()}")
    assert code_of(unknown) == (404, "unknown_customer")
    assert code_of(await shop.send("GET", f"/v1/segments/{uuid4()}")) == (404, "unknown_segment")


async def test_members_come_in_pages(shop: Shop) -> None:
    customers = sorted(uuid4() for _ in range(5))
    for customer in customers:
        await shop.hear(registered(customer, country="DE"))
    segment = await shop.segment(GERMANS)
    shown: list[str] = []
    cursor = ""
    while True:
        page = await shop.get(f"/v1/segments/{segment}/members?limit=2{cursor}")
        shown += [member["customer_id"] for member in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert shown == [str(customer) for customer in customers]


async def test_a_segment_is_made_once_whatever_is_repeated(shop: Shop) -> None:
    body = {"code": "likely-gone", "rule": {"score": "churn_90", "gte": 0.6}}
    first, again = await asyncio.gather(*(shop.post("/v1/segments", body, key="k1") for _ in range(2)))
    assert {first.status_code, again.status_code} == {201}
    assert first.json()["id"] == again.json()["id"]
    assert sorted(r.headers.get("Idempotent-Replayed", "") for r in (first, again)) == ["", "true"]
    other = {**body, "rule": {"score": "churn_90", "gte": 0.7}}
    assert code_of(await shop.post("/v1/segments", other, key="k1")) == (409, "idempotency_key_conflict")
    taken = await shop.post("/v1/segments", other)
    assert (code_of(taken), place_of(taken)) == ((409, "code_taken"), "/code")


async def test_who_is_heard_of_while_a_segment_is_made_is_not_overlooked(shop: Shop) -> None:
    customers = [uuid4() for _ in range(30)]
    hearing = [shop.hear(registered(customer, country="DE")) for customer in customers]
    made, *_ = await asyncio.gather(shop.make("/v1/segments", {"code": "germans", "rule": GERMANS}), *hearing)
    await shop.do_jobs()
    assert await shop.members(made["id"]) == set(customers)
    entered = [UUID(str(event.subject)) for event in await shop.told()]
    assert sorted(entered) == sorted(customers), "each is told once"


async def test_two_services_that_tell_of_one_customer_at_once_leave_no_stale_membership(shop: Shop) -> None:
    segment = await shop.segment({"all": [GERMANS, {"balance": {"gte": 100}}, {"consent": "marketing/email"}]})
    for customer in (uuid4() for _ in range(10)):
        told = [registered(customer, country="DE"), balance_changed(customer, 150), consented(customer)]
        await asyncio.gather(*(shop.hear(event) for event in told))
    assert len(await shop.members(segment)) == 10


async def test_a_broken_rule_is_refused_and_its_node_named(shop: Shop) -> None:
    rule = {"all": [GERMANS, {"any": [{"trait": "shoe_size", "eq": 39}]}]}
    for path in ("/v1/segments", "/v1/segments:preview"):
        body = {"rule": rule} if path.endswith("preview") else {"code": "big", "rule": rule}
        refused = await shop.post(path, body)
        assert code_of(refused) == (422, "unknown_rule_field")
        assert place_of(refused) == "/rule/all/1/any/0/trait"
        assert "shoe_size" not in refused.text
