"""Campaigns: drafted, launched, paused, resumed, and read with what became of their messages."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from campaign.happenings import ANNA, BEN, alarmed
from campaign.shop import Shop, a_template, code_of, place_of

CHURN = {"kind": "churn_risk_raised"}


async def a_draft(shop: Shop, **said: Any) -> dict[str, Any]:
    await shop.make("/v1/templates", a_template())
    return await shop.make("/v1/campaigns", {"code": "win-back", "trigger": CHURN, "template": "miss-you", **said})


async def test_a_draft_does_nothing(shop: Shop) -> None:
    draft = await a_draft(shop, name="Win them back")
    assert (draft["state"], draft["template_version"], draft["channel"]) == ("draft", None, "email")
    await shop.hear(alarmed())
    assert await shop.messages() == []


async def test_a_campaign_goes_from_draft_to_running_to_paused_and_on(shop: Shop) -> None:
    path = f"/v1/campaigns/{(await a_draft(shop))['id']}"
    states = []
    for step in ("launch", "launch", "pause", "pause", "resume", "resume"):
        answer = await shop.send("POST", f"{path}/{step}")
        assert answer.status_code == 200, answer.text
        states.append(answer.json()["state"])
    assert states == ["running", "running", "paused", "paused", "running", "running"]
    assert (await shop.get(path))["template_version"] == 1


@pytest.mark.parametrize(("before", "step"), [([], "pause"), ([], "resume"), (["launch", "pause"], "launch")])
async def test_what_a_state_does_not_allow_is_refused(shop: Shop, before: list[str], step: str) -> None:
    path = f"/v1/campaigns/{(await a_draft(shop))['id']}"
    for earlier in before:
        await shop.send("POST", f"{path}/{earlier}")
    assert code_of(await shop.send("POST", f"{path}/{step}")) == (409, "wrong_state")


async def test_a_campaign_counts_its_messages_by_what_became_of_them(shop: Shop) -> None:
    campaign = await shop.campaign()
    for customer in (ANNA, BEN):
        await shop.hear(alarmed(customer))
    shop.desk.reasons[str(BEN)] = "no_consent"
    await shop.deliver()
    await shop.hear(alarmed(uuid4()))
    (told,) = (await shop.get("/v1/campaigns"))["items"]
    assert told["id"] == campaign
    assert told["messages"] == {"waiting": 1, "sent": 1, "skipped": {"no_consent": 1}}


async def test_messages_come_in_pages_by_customer_and_campaign(shop: Shop) -> None:
    campaign = await shop.campaign()
    customers = [uuid4() for _ in range(3)]
    for customer in customers:
        await shop.hear(alarmed(customer))
    page = await shop.get(f"/v1/messages?campaign_id={campaign}&limit=2")
    rest = await shop.get(f"/v1/messages?campaign_id={campaign}&limit=2&cursor={page['next_cursor']}")
    found = [message["customer_id"] for message in [*page["items"], *rest["items"]]]
    assert found == [str(customer) for customer in customers]
    assert rest["next_cursor"] is None
    (own,) = await shop.messages(customer_id=customers[1])
    assert own["customer_id"] == str(customers[1])
    assert await shop.messages(campaign_id=uuid4()) == []


@pytest.mark.parametrize(
    ("said", "code", "place"),
    [
        ({"template": "no-such"}, "unknown_template", "/template"),
        ({"trigger": {"kind": "segment_entered", "segment": "no-such"}}, "unknown_segment", "/trigger/segment"),
        ({"trigger": {"kind": "segment_entered"}}, "missing_field", "/trigger/segment"),
        ({"trigger": {"kind": "full_moon"}}, "invalid_field", "/trigger"),
        ({"trigger": {**CHURN, "segment": "vip"}}, "unknown_field", "/trigger/segment"),
        ({"channel": "pigeon"}, "invalid_field", "/channel"),
        ({"purpose": "research"}, "invalid_field", "/purpose"),
        ({"code": ""}, "invalid_field", "/code"),
    ],
)
async def test_a_draft_that_cannot_run_is_refused(shop: Shop, said: dict[str, Any], code: str, place: str) -> None:
    await shop.make("/v1/templates", a_template())
    refused = await shop.post("/v1/campaigns", {"code": "win-back", "trigger": CHURN, "template": "miss-you", **said})
    assert (code_of(refused), place_of(refused)) == ((422, code), place)


async def test_a_code_names_one_campaign(shop: Shop) -> None:
    await a_draft(shop)
    body = {"code": "win-back", "trigger": CHURN, "template": "miss-you"}
    assert code_of(await shop.post("/v1/campaigns", body)) == (409, "code_taken")
    first, again = await asyncio.gather(*(shop.post("/v1/campaigns", {**body, "code": "b"}, key="k") for _ in range(2)))
    assert first.json()["id"] == again.json()["id"]


async def test_what_there_is_not_cannot_be_read_or_launched(shop: Shop) -> None:
    path = f"/v1/campaigns/{uuid4()}"
    for method, address in (("GET", path), ("POST", f"{path}/launch"), ("POST", f"{path}/pause")):
        assert code_of(await shop.send(method, address)) == (404, "unknown_campaign")
