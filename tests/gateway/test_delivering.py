"""Deliveries to a real receiver: signed, in order per customer, on their schedule, whatever the receiver does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook as Verifier

from gateway.conftest import OpenDesk
from gateway.desk import EARNED, ENDPOINTS, RECORDED, REGISTERED, Desk, an_event, working
from gateway.receiver import Reply, Webhook, a_receiver, always, in_turn, thanks
from regulars_gateway.adapters.db.claims import SqlClaims
from regulars_gateway.application.deliver_webhooks import POLL_S
from regulars_gateway.application.ports import Terms
from regulars_gateway.domain.deliveries import Claimed
from regulars_kit.values import Unavailable, utc_now

ANN, BOB = str(uuid4()), str(uuid4())


async def test_an_event_arrives_signed_and_byte_for_byte(desk: Desk) -> None:
    async with a_receiver() as partner, desk.working():
        endpoint = await desk.subscribe(partner.url)
        event = an_event(ANN, points=19)
        await desk.publish(event)
        (webhook,) = await partner.has(1)
        assert webhook.body == event.body
        assert webhook.headers["content-type"] == "application/cloudevents+json"
        assert webhook.headers["accept-encoding"] == "identity"
        Verifier(endpoint["secret"]).verify(webhook.body, dict(webhook.headers))
        (delivery,) = await desk.until_delivered(1)
        assert delivery["webhook_id"] == webhook.id
        assert [attempt["status"] for attempt in delivery["attempts"]] == [204]


async def test_an_endpoint_gets_the_types_it_asked_for(desk: Desk) -> None:
    async with a_receiver() as partner, desk.working():
        await desk.subscribe(partner.url, types=[EARNED])
        await desk.publish(an_event(ANN, REGISTERED), an_event(ANN, RECORDED), an_event(ANN, EARNED))
        (webhook,) = await partner.has(1)
        assert webhook.event["type"] == EARNED
        await desk.until_delivered(1)
        assert len(await desk.deliveries()) == 1


async def test_an_event_said_twice_is_delivered_once(desk: Desk) -> None:
    async with a_receiver() as partner, desk.working():
        await desk.subscribe(partner.url)
        event = an_event(ANN)
        await desk.publish(event, event, an_event(BOB), event)
        await partner.has(2)
        await desk.until_delivered(2)
        assert len(await desk.deliveries()) == 2


async def test_a_customer_s_events_arrive_in_order_and_wait_only_for_their_own(desk: Desk) -> None:
    async def fail_once_for_ann(webhook: Webhook) -> Reply:
        is_first = sum(earlier.event["subject"] == ANN for earlier in partner.got) == 1
        return Reply(500 if webhook.event["subject"] == ANN and is_first else 204)

    async with a_receiver(fail_once_for_ann) as partner, desk.working():
        await desk.subscribe(partner.url)
        await desk.publish(*(an_event(who, n=n) for n in range(10) for who in (ANN, BOB)))
        await partner.has(21)
        await desk.until_delivered(20)
        got = {who: [w.event["data"]["n"] for w in partner.got if w.event["subject"] == who] for who in (ANN, BOB)}
        assert got[BOB] == list(range(10))
        assert got[ANN] == [0, *range(10)]
        first, again = [webhook.id for webhook in partner.got if webhook.event["subject"] == ANN][:2]
        assert first == again, "the repetition has the same id"
        assert [webhook.event["subject"] for webhook in partner.got].index(BOB) < 12, "Bob does not wait for Ann"


async def test_what_comes_alone_waits_for_nothing_and_what_follows_at_once_for_the_pace(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regulars_gateway.application.deliver_webhooks.PACE_S", 60.0)
    async with a_receiver() as partner, desk.working():
        await desk.subscribe(partner.url)
        await desk.publish(an_event(ANN))
        await partner.has(1)
        await desk.publish(an_event(BOB))
        await asyncio.sleep(2 * POLL_S)
        assert len(partner.got) == 1


async def test_what_is_due_and_has_no_room_does_not_wait_for_the_pace(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regulars_gateway.application.deliver_webhooks.PACE_S", 60.0)
    desk = await open_desk(deliveries_per_endpoint=1)
    async with a_receiver() as partner:
        await desk.subscribe(partner.url)
        await desk.hear(*(an_event(str(uuid4())) for _ in range(5)))
        async with desk.working():
            await partner.has(5)


async def test_connections_are_kept_open(desk: Desk) -> None:
    async with a_receiver() as partner, desk.working():
        await desk.subscribe(partner.url)
        await desk.publish(*(an_event(ANN, n=n) for n in range(30)))
        await partner.has(30)
        assert partner.connections == 1


@pytest.mark.parametrize("status", [500, 503, 429, 404, 301, 302])
async def test_a_refusal_is_tried_again_on_the_schedule_until_it_is_exhausted(desk: Desk, status: int) -> None:
    reply = Reply(status, {"Location": "http://127.0.0.1:1/"}, b"no \x00 thanks")
    async with a_receiver(always(reply)) as partner, desk.working():
        await desk.subscribe(partner.url)
        await desk.publish(an_event(ANN, n=1))
        (delivery,) = await desk.until_delivered(1, "exhausted")
        assert [attempt["status"] for attempt in delivery["attempts"]] == [status] * 3
        assert delivery["attempts"][0]["answer_start"] == "no \ufffd thanks"
        assert len({webhook.id for webhook in partner.got}) == 1
        waits = [later.at - earlier.at for earlier, later in zip(partner.got, partner.got[1:], strict=False)]
        assert waits[0] >= 0.05 and waits[1] >= 0.1
        # What comes after an exhausted one goes out.
        partner.behaviour = thanks
        await desk.publish(an_event(ANN, n=2))
        assert [webhook.event["data"]["n"] for webhook in await partner.has(4)] == [1, 1, 1, 2]


async def test_retry_after_is_honoured(desk: Desk) -> None:
    async with a_receiver(in_turn(Reply(429, {"Retry-After": "1"}), Reply())) as partner, desk.working():
        await desk.subscribe(partner.url)
        await desk.publish(an_event(ANN))
        first, second = await partner.has(2)
        assert second.at - first.at >= 1.0


async def test_a_connection_that_is_reset_is_a_failure_like_any_other(desk: Desk) -> None:
    async with a_receiver(in_turn(Reply(None), Reply())) as partner, desk.working():
        await desk.subscribe(partner.url)
        await desk.publish(an_event(ANN))
        (delivery,) = await desk.until_delivered(1)
        assert [attempt["error"] for attempt in delivery["attempts"]] == ["connection_broken", None]


async def test_a_receiver_that_hangs_slows_no_other(open_desk: OpenDesk) -> None:
    release = asyncio.Event()

    async def hang(webhook: Webhook) -> Reply:
        await release.wait()
        return Reply()

    desk = await open_desk(deliveries_per_endpoint=2, delivery_timeout_s=30)
    async with a_receiver(hang) as slow, a_receiver() as quick, desk.working():
        await desk.subscribe(slow.url)
        await desk.subscribe(quick.url)
        await desk.publish(*(an_event(uuid4()) for _ in range(60)))
        await quick.has(60)
        assert len(slow.got) == 2, "no more are in flight to one endpoint"
        release.set()
        await slow.has(60)


async def test_a_receiver_that_takes_too_long_is_cut_off(open_desk: OpenDesk) -> None:
    async def hang(webhook: Webhook) -> Reply:
        await asyncio.sleep(60)
        return Reply()

    desk = await open_desk(delivery_timeout_s=0.2, retry_schedule_s="0.05")
    async with a_receiver(hang) as slow, desk.working():
        await desk.subscribe(slow.url)
        await desk.publish(an_event(ANN))
        (delivery,) = await desk.until_delivered(1, "exhausted")
        assert [attempt["error"] for attempt in delivery["attempts"]] == ["timeout", "timeout"]


async def test_of_an_answer_without_end_little_is_read(desk: Desk) -> None:
    endless = Reply(200, {"Connection": "close"}, b"x" * 5_000_000)
    async with a_receiver(always(endless)) as partner, desk.working():
        await desk.subscribe(partner.url)
        await desk.publish(an_event(ANN), an_event(ANN))
        delivered = await desk.until_delivered(2)
        assert {len(one["attempts"][0]["answer_start"]) for one in delivered} == {500}


async def test_an_endpoint_that_is_gone_is_disabled_and_the_others_are_told(desk: Desk) -> None:
    async with a_receiver(always(Reply(410))) as gone, a_receiver() as other, desk.working():
        endpoint = await desk.subscribe(gone.url)
        await desk.publish(an_event(ANN))
        await gone.has(1)
        shown = await desk.until_disabled(endpoint["id"])
        assert shown["disabled_reason"] == "gone"
        await desk.subscribe(other.url)
        await desk.publish(an_event(BOB))
        await other.has(1)
        assert len(gone.got) == 1
        assert [one["state"] for one in await desk.deliveries(endpoint_id=endpoint["id"])] == ["pending"]
    async with desk.service.database.transaction() as connection:
        rows = (await connection.execute(text("SELECT type, key FROM outbox"))).all()
    assert [tuple(row) for row in rows] == [("gateway.endpoint_disabled.v1", endpoint["id"])]


async def test_enabled_again_it_gets_what_was_pending(desk: Desk) -> None:
    async with a_receiver(in_turn(Reply(410), Reply())) as partner, desk.working():
        endpoint = await desk.subscribe(partner.url)
        await desk.publish(an_event(ANN))
        path = f"{ENDPOINTS}/{endpoint['id']}"
        await desk.until_disabled(endpoint["id"])
        assert (await desk.send("PATCH", path, {"enabled": True})).json()["disabled_reason"] is None
        first, second = await partner.has(2)
        assert first.id == second.id


async def test_after_twenty_failures_in_a_row_one_probe_at_a_time_goes_out(open_desk: OpenDesk) -> None:
    in_flight, most = 0, 0
    # At most nineteen failures are on record, and each of the forty subjects in flight, when the twentieth is written.
    burst = 19 + 40

    async def count(webhook: Webhook) -> Reply:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight if len(partner.got) > burst else 0)
        await asyncio.sleep(0.01)
        in_flight -= 1
        return Reply(500 if len(partner.got) < burst + 10 else 204)

    desk = await open_desk(retry_schedule_s=",".join(["0.05"] * 30))
    async with a_receiver(count) as partner, desk.working():
        await desk.subscribe(partner.url)
        await desk.publish(*(an_event(uuid4()) for _ in range(40)))
        await partner.has(burst + 10)
        assert most == 1
        await desk.until_delivered(40)


async def test_what_came_of_a_delivery_is_kept_while_the_database_is_away(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, outages = SqlClaims.claim, 0

    async def claim_after_an_outage(self: SqlClaims, terms: Terms, at: datetime, room: int) -> Sequence[Claimed]:
        nonlocal outages
        if partner.got and not outages:
            outages += 1
            raise Unavailable("the database is away")
        return await claim(self, terms, at, room)

    monkeypatch.setattr(SqlClaims, "claim", claim_after_an_outage)
    async with a_receiver() as partner, desk.working():
        await desk.subscribe(partner.url)
        await desk.publish(an_event(ANN))
        await desk.until_delivered(1)
    assert (outages, len(partner.got)) == (1, 1)


async def test_what_was_in_flight_at_a_kill_is_repeated_with_the_same_id(open_desk: OpenDesk) -> None:
    desk = await open_desk()
    url = desk.service.database.url
    hanging = asyncio.Event()

    async def hang(webhook: Webhook) -> Reply:
        await hanging.wait()
        return Reply()

    async with a_receiver(hang) as partner:
        await desk.subscribe(partner.url)
        await desk.hear(an_event(ANN, n=1), an_event(ANN, n=2))
        killed = asyncio.ensure_future(desk.service.loops[0](asyncio.Event()))
        await partner.has(1)
        killed.cancel()  # nothing is recorded, as after SIGKILL; the claim stays
        await asyncio.gather(killed, return_exceptions=True)
        partner.behaviour = thanks
        later = await open_desk(url=url, clock=lambda: utc_now() + timedelta(minutes=5))
        async with working(later.service):
            await partner.has(3)
            await later.until_delivered(2)
        assert [webhook.event["data"]["n"] for webhook in partner.got] == [1, 1, 2]
        assert partner.got[0].id == partner.got[1].id


async def test_several_deliverers_keep_the_order(open_desk: OpenDesk) -> None:
    desk = await open_desk()
    other = await open_desk(url=desk.service.database.url)
    customers = [str(uuid4()) for _ in range(10)]
    async with a_receiver() as partner:
        await desk.subscribe(partner.url)
        async with working(desk.service), working(other.service):
            await desk.publish(*(an_event(who, n=n) for n in range(20) for who in customers))
            await partner.has(200)
            await desk.until_delivered(200)
    assert len(partner.got) == 200
    for who in customers:
        assert [w.event["data"]["n"] for w in partner.got if w.event["subject"] == who] == list(range(20))
