"""A trigger writes one message to one customer, once, whatever is doubled or withdrawn meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from campaign.happenings import ANNA, BEN, alarmed, balance_changed, consented, registered
from campaign.shop import LEASE_OVER, Desk, Shop, WallClock, a_service, code_of, settings_for
from regulars_campaign.adapters.sending.file_sink import FileSink
from regulars_campaign.domain.templates import Text
from regulars_kit.values import Unavailable


async def test_a_churn_alarm_writes_one_letter(shop: Shop) -> None:
    campaign = await shop.campaign()
    await shop.hear(balance_changed(ANNA, 250))
    await shop.hear(alarmed())
    assert await shop.deliver() == 1
    (letter,) = shop.letters()
    assert (letter["to"], letter["subject"]) == ("0a11a000@example.com", "We miss you")
    assert letter["body"] == "Hello Anna, you have 250 points."
    (message,) = await shop.messages(customer_id=ANNA, campaign_id=campaign)
    assert (message["state"], message["id"], message["template_version"]) == ("sent", letter["message_id"], 1)
    (event,) = await shop.told()
    assert event.type == "campaign.message_sent.v1"
    assert (event.subject, event.data["campaign"], event.data["step"]) == (str(ANNA), "win-back", "first")
    assert event.event(), "fits its published schema"
    assert (await shop.get(f"/v1/campaigns/{campaign}"))["messages"] == {"waiting": 0, "sent": 1, "skipped": {}}


async def test_a_message_says_what_it_cost(shop: Shop) -> None:
    await shop.campaign()
    await shop.hear(alarmed())
    await shop.deliver(message_cost_minor={"email": 2}, message_cost_currency="EUR")
    await shop.hear(alarmed(BEN))
    await shop.deliver()
    told = [(event.data["cost_minor"], event.data["currency"]) for event in await shop.told()]
    assert told == [(2, "EUR"), (None, None)], "what nobody has told the sender, it does not tell"


@pytest.mark.parametrize(
    "said",
    [
        {"message_cost_minor": {"email": 2}},
        {"message_cost_currency": "EUR"},
        {"message_cost_minor": {"email": -1}, "message_cost_currency": "EUR"},
        {"message_cost_minor": {"pigeon": 1}, "message_cost_currency": "EUR"},
    ],
)
def test_costs_that_cannot_be_meant_are_refused_at_the_start(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="message_cost"):
        settings_for("postgresql+asyncpg://nobody@127.0.0.1/nothing", **said)


async def test_a_customer_gets_one_message_of_a_campaign_whatever_is_repeated(shop: Shop) -> None:
    await shop.campaign()
    event_id = uuid4()
    await shop.hear(alarmed(), event_id)
    await shop.hear(alarmed(), event_id)
    await shop.hear(alarmed())
    await shop.deliver()
    await shop.hear(alarmed())
    assert await shop.deliver() == 0
    assert len(shop.letters()) == 1
    assert await shop.types() == ["campaign.message_sent.v1"]


async def test_a_consent_withdrawn_between_trigger_and_sending_is_obeyed(shop: Shop) -> None:
    campaign = await shop.campaign()
    await shop.hear(consented())
    await shop.hear(alarmed())
    shop.desk.reasons[str(ANNA)] = "no_consent"
    await shop.deliver()
    assert shop.letters() == []
    (message,) = await shop.messages(customer_id=ANNA)
    assert (message["state"], message["reason"], message["content_hash"]) == ("skipped", "no_consent", None)
    (event,) = await shop.told()
    assert (event.type, event.data["reason"]) == ("campaign.message_skipped.v1", "no_consent")
    assert (await shop.get(f"/v1/campaigns/{campaign}"))["messages"]["skipped"] == {"no_consent": 1}


async def test_while_the_customer_service_is_away_nobody_is_written_to(shop: Shop) -> None:
    await shop.campaign()
    await shop.hear(alarmed())
    shop.desk.is_away = True
    assert await shop.deliver() == 1
    (message,) = await shop.messages()
    assert (message["state"], shop.letters(), await shop.types()) == ("due", [], [])
    assert await shop.deliver() == 0, "it waits a little longer each time"
    shop.desk.is_away = False
    await shop.execute(LEASE_OVER)
    await shop.deliver()
    assert len(shop.letters()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503),
        httpx.Response(403, json={"code": "scope_missing"}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json={"items": [{"customer_id": str(ANNA)}]}),
        httpx.Response(200, json={"items": []}),
    ],
)
async def test_whatever_is_no_plain_answer_is_no_permission(shop: Shop, answer: httpx.Response) -> None:
    await shop.campaign()
    await shop.hear(alarmed())
    shop.desk.answer = lambda: answer
    await shop.deliver()
    (message,) = await shop.messages()
    assert (message["state"], shop.letters()) == ("due", [])


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"allowed": False, "reason": "no_address"}, "no_address"),
        ({"allowed": False, "reason": "unknown_customer"}, "unknown_customer"),
        ({"allowed": True, "reason": None, "address": None}, "no_address"),
        ({"allowed": False, "reason": None, "address": "a@example.com"}, "not_allowed"),
    ],
)
async def test_each_skip_has_its_reason(shop: Shop, said: dict[str, Any], reason: str) -> None:
    await shop.campaign()
    await shop.hear(alarmed())
    shop.desk.answer = lambda: httpx.Response(200, json={"items": [{"customer_id": str(ANNA), **said}]})
    await shop.deliver()
    (message,) = await shop.messages()
    assert (message["state"], message["reason"], shop.letters()) == ("skipped", reason, [])


async def test_a_full_disk_delays_a_letter_and_loses_none(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.campaign()
    await shop.hear(alarmed())

    async def full(*_: object) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(FileSink, "send", full)
        await shop.deliver()
    assert [message["state"] for message in await shop.messages()] == ["due"]
    await shop.execute(LEASE_OVER)
    await shop.deliver()
    assert len(shop.letters()) == 1


async def test_a_paused_campaign_keeps_what_is_due_and_hears_nothing(shop: Shop) -> None:
    campaign = await shop.campaign()
    await shop.hear(alarmed())
    paused = await shop.send("POST", f"/v1/campaigns/{campaign}/pause")
    assert paused.json()["state"] == "paused"
    await shop.hear(alarmed(BEN))
    assert await shop.deliver() == 0
    resumed = await shop.send("POST", f"/v1/campaigns/{campaign}/resume")
    assert resumed.json()["messages"] == {"waiting": 1, "sent": 0, "skipped": {}}
    await shop.deliver()
    assert [letter["to"] for letter in shop.letters()] == ["0a11a000@example.com"]


async def test_whoever_enters_the_segment_is_written_to_once(shop: Shop) -> None:
    segment = await shop.segment({"trait": "country", "in": ["DE"]}, code="germans")
    await shop.hear(registered(BEN, country="DE"))
    await shop.campaign({"kind": "segment_entered", "segment": "germans"})
    await shop.hear(registered(ANNA, country="DE"))
    await shop.hear(registered(ANNA, country="AT", at=shop.clock.now))
    await shop.hear(registered(ANNA, country="DE", at=shop.clock.now))
    await shop.deliver()
    assert [letter["to"] for letter in shop.letters()] == ["0a11a000@example.com"], "Ben was there before the launch"
    assert await shop.members(segment) == {ANNA, BEN}


async def test_contacts_are_asked_for_the_campaigns_purpose_and_channel(shop: Shop) -> None:
    await shop.campaign()
    for customer in (ANNA, BEN):
        await shop.hear(alarmed(customer))
    await shop.deliver()
    (asked,) = shop.desk.asked
    assert asked == {"customer_ids": [str(ANNA), str(BEN)], "purpose": "marketing", "channel": "email"}


async def test_the_text_of_a_message_is_kept_nowhere(shop: Shop) -> None:
    await shop.campaign()
    await shop.hear(alarmed())
    await shop.deliver()
    (message,) = await shop.messages()
    assert len(message["content_hash"]) == 64
    async with shop.service.database.transaction() as connection:
        dumped = await connection.exec_driver_sql("SELECT string_agg(m::text, '') FROM messages m")
        assert "example.com" not in str(dumped.scalar())


async def test_without_a_provider_a_campaign_cannot_be_launched(shop: Shop, desk: Desk, clock: WallClock) -> None:
    poor = a_service(shop.service.database.url, desk, clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=poor.app), base_url="http://campaign") as client:
        door = Shop(poor, client, clock, desk, shop.sink)
        with pytest.raises(AssertionError, match="channel_not_configured"):
            await door.campaign()
        (draft,) = (await door.get("/v1/campaigns"))["items"]
        refused = await door.send("POST", f"/v1/campaigns/{draft['id']}/launch")
    assert code_of(refused) == (422, "channel_not_configured")
    await poor.database.close()


async def test_a_file_that_is_there_is_whole_and_stays(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "new" / "folder", "email")
    message_id = uuid4()
    await asyncio.gather(*(sink.send(message_id, "a@example.com", Text("Hi", "x" * 50_000)) for _ in range(4)))
    (path,) = (tmp_path / "new" / "folder").iterdir()
    written = path.read_bytes()
    await sink.send(message_id, "a@example.com", Text("Hi", "something else"))
    assert path.read_bytes() == written


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_what_a_killed_try_left_is_removed_by_the_next(tmp_path: Path) -> None:
    message_id, other_id = uuid4(), uuid4()
    for one in (message_id, other_id):
        (tmp_path / f".{one}.0a1b2c3d.part").write_text('{"to": "a@exam')
    await FileSink(tmp_path, "email").send(message_id, "a@example.com", Text("Hi", "there"))
    assert names_in(tmp_path) == {f"{message_id}.json", f".{other_id}.0a1b2c3d.part"}


async def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        await FileSink(tmp_path / "file", "email").send(uuid4(), "a@example.com", Text("Hi", "there"))
