"""Webhook endpoints: registered, changed, tested, removed; their secrets; their deliveries, sent again."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from gateway.conftest import OpenDesk
from gateway.desk import DELIVERIES, EARNED, ENDPOINTS, Body, Desk, an_event, code_of, places_of
from gateway.receiver import Reply, a_receiver, always, thanks

HERE = "http://127.0.0.1:9/hooks"


async def test_an_endpoint_shows_its_secret_once(desk: Desk) -> None:
    wanted = {"url": HERE, "types": [EARNED], "description": "the till's ERP"}
    first = await desk.make(ENDPOINTS, wanted, key="once")
    assert first["secret"].startswith("whsec_")
    again = await desk.send("POST", ENDPOINTS, wanted, key="once")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.json() == {**first, "secret": None}
    (listed,) = (await desk.send("GET", ENDPOINTS)).json()["items"]
    assert listed == (await desk.send("GET", f"{ENDPOINTS}/{first['id']}")).json()
    assert listed == {name: value for name, value in first.items() if name != "secret"}


@pytest.mark.parametrize(
    ("said", "code", "place"),
    [
        ({"url": "ftp://example.com/"}, "bad_url", "/url"),
        ({"url": "https://"}, "bad_url", "/url"),
        ({"url": "nonsense"}, "bad_url", "/url"),
        ({"url": "https://example.com:99999/"}, "bad_url", "/url"),
        ({"url": "https://[::1"}, "bad_url", "/url"),
        ({"url": "https://ann:secret@example.com/"}, "bad_url", "/url"),
        ({"url": "https://example.com/#top"}, "bad_url", "/url"),
        ({"url": "https://example.com/a b"}, "bad_url", "/url"),
        ({"url": "https://exämple.com/"}, "bad_url", "/url"),
        ({"url": "http://10.0.0.1/"}, "address_denied", "/url"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "address_denied", "/url"),
        ({"url": "http://[::ffff:10.0.0.1]/"}, "address_denied", "/url"),
        ({"url": "https://example.com/" + "x" * 2000}, "too_long", "/url"),
        ({"url": "https://example.com/\u0000"}, "invalid_character", "/url"),
        ({"url": 7}, "wrong_type", "/url"),
        ({"types": ["dreams.dreamt.v1"]}, "unknown_event_type", "/types/0"),
        ({"types": ["dreams"]}, "invalid_field", "/types/0"),
        ({"types": []}, "too_short", "/types"),
        ({"description": "x" * 256}, "too_long", "/description"),
        ({"enabled": 1}, "wrong_type", "/enabled"),
        ({"surprise": 1}, "unknown_field", "/surprise"),
    ],
)
async def test_bad_wishes_are_refused_by_their_place(desk: Desk, said: Body, code: str, place: str) -> None:
    answer = await desk.send("POST", ENDPOINTS, {"url": HERE, **said}, key=str(uuid4()))
    assert answer.json()["code"] == code
    assert answer.status_code == (400 if code == "invalid_character" else 422)
    assert places_of(answer) == [place]
    assert "secret" not in answer.text and "meta-data" not in answer.text
    assert (await desk.send("GET", ENDPOINTS)).json()["items"] == []


async def test_a_change_says_only_what_is_new(desk: Desk) -> None:
    made = await desk.subscribe(HERE, types=[EARNED], description="old")
    path = f"{ENDPOINTS}/{made['id']}"
    changed = (await desk.send("PATCH", path, {"description": "new", "types": None})).json()
    assert (changed["url"], changed["types"], changed["description"]) == (HERE, None, "new")
    off = (await desk.send("PATCH", path, {"enabled": False})).json()
    assert (off["enabled"], off["disabled_reason"]) == (False, "by_hand")
    assert code_of(await desk.send("PATCH", path, {"url": "http://192.168.1.1/"})) == (422, "address_denied")
    assert code_of(await desk.send("PATCH", f"{ENDPOINTS}/{uuid4()}", {})) == (404, "unknown_endpoint")


async def test_an_endpoint_that_is_off_gets_nothing_of_what_is_said_meanwhile(desk: Desk) -> None:
    async with a_receiver() as partner, desk.working():
        made = await desk.subscribe(partner.url, enabled=False)
        await desk.hear(an_event(uuid4(), n=1))
        await desk.send("PATCH", f"{ENDPOINTS}/{made['id']}", {"enabled": True})
        await desk.publish(an_event(uuid4(), n=2))
        (webhook,) = await partner.has(1)
        assert webhook.event["data"]["n"] == 2


async def test_a_removed_endpoint_gets_nothing_and_its_deliveries_can_be_read(desk: Desk) -> None:
    made = await desk.subscribe(HERE)
    await desk.hear(an_event(uuid4()))
    path = f"{ENDPOINTS}/{made['id']}"
    assert (await desk.send("DELETE", path)).status_code == 204
    assert code_of(await desk.send("DELETE", path)) == (404, "unknown_endpoint")
    (delivery,) = await desk.deliveries(endpoint_id=made["id"])
    assert delivery["state"] == "cancelled"
    assert code_of(await desk.send("POST", f"{DELIVERIES}/{delivery['id']}/resend")) == (404, "unknown_endpoint")


async def test_while_a_secret_is_changed_both_verify(desk: Desk) -> None:
    async with a_receiver() as partner, desk.working():
        made = await desk.subscribe(partner.url)
        new = await desk.make(f"{ENDPOINTS}/{made['id']}/rotate", {"overlap_s": 60})
        await desk.publish(an_event(uuid4()))
        (webhook,) = await partner.has(1)
        for secret in (made["secret"], new["secret"]):
            Verifier(secret).verify(webhook.body, dict(webhook.headers))
        last = await desk.make(f"{ENDPOINTS}/{made['id']}/rotate", {"overlap_s": 0})
        await desk.publish(an_event(uuid4()))
        webhook = (await partner.has(2))[1]
        Verifier(last["secret"]).verify(webhook.body, dict(webhook.headers))
        with pytest.raises(WebhookVerificationError):
            Verifier(new["secret"]).verify(webhook.body, dict(webhook.headers))


async def test_a_ping_is_sent_at_once_and_tells_what_came_of_it(desk: Desk) -> None:
    async with a_receiver() as partner:
        made = await desk.subscribe(partner.url, enabled=False)
        path = f"{ENDPOINTS}/{made['id']}/test"
        answer = (await desk.send("POST", path)).json()
        assert (answer["delivered"], answer["status"]) == (True, 204)
        Verifier(made["secret"]).verify(partner.got[0].body, dict(partner.got[0].headers))
        assert partner.got[0].event["type"] == "gateway.ping.v1"
        partner.behaviour = always(Reply(500, body=b"out of order"))
        answer = (await desk.send("POST", path)).json()
        assert (answer["delivered"], answer["answer_start"]) == (False, "out of order")
    answer = (await desk.send("POST", path)).json()
    assert (answer["delivered"], answer["error"]) == (False, "cannot_connect")


async def test_a_private_address_gets_nothing_unless_the_operator_allows_it(open_desk: OpenDesk) -> None:
    desk = await open_desk(allowed_networks="", retry_schedule_s="")
    async with a_receiver() as partner, desk.working():
        assert code_of(await desk.send("POST", ENDPOINTS, {"url": partner.url}, key="k")) == (422, "address_denied")
        await desk.subscribe(partner.url.replace("127.0.0.1", "localhost"))
        await desk.publish(an_event(uuid4()))
        (delivery,) = await desk.until_delivered(1, "exhausted")
        assert delivery["attempts"][0]["error"] == "address_denied"
        assert partner.connections == 0


async def test_a_delivery_is_sent_again_with_the_same_id(desk: Desk) -> None:
    async with a_receiver(always(Reply(500))) as partner, desk.working():
        await desk.subscribe(partner.url)
        await desk.publish(an_event(uuid4()))
        (exhausted,) = await desk.until_delivered(1, "exhausted")
        partner.behaviour = thanks
        resend = f"{DELIVERIES}/{exhausted['id']}/resend"
        answer = await desk.send("POST", resend)
        assert (answer.status_code, answer.json()["state"], answer.json()["tries"]) == (202, "pending", 0)
        (delivered,) = await desk.until_delivered(1)
        assert [attempt["status"] for attempt in delivered["attempts"]] == [500, 500, 500, 204]
        assert len({webhook.id for webhook in partner.got}) == 1
        await desk.send("POST", resend)
        await partner.has(5)
        await desk.until_delivered(1)
    assert code_of(await desk.send("POST", f"{DELIVERIES}/{uuid4()}/resend")) == (404, "unknown_delivery")


async def test_nothing_is_sent_again_to_an_endpoint_that_is_off(desk: Desk) -> None:
    made = await desk.subscribe(HERE)
    await desk.hear(an_event(uuid4()))
    await desk.send("PATCH", f"{ENDPOINTS}/{made['id']}", {"enabled": False})
    (delivery,) = await desk.deliveries()
    assert code_of(await desk.send("POST", f"{DELIVERIES}/{delivery['id']}/resend")) == (409, "endpoint_disabled")


async def test_deliveries_come_in_pages_the_newest_first(desk: Desk) -> None:
    await desk.subscribe(HERE)
    await desk.hear(*(an_event(uuid4(), n=n) for n in range(3)))
    first = (await desk.send("GET", f"{DELIVERIES}?limit=2")).json()
    second = (await desk.send("GET", f"{DELIVERIES}?limit=2&cursor={first['next_cursor']}")).json()
    ids = [one["id"] for one in first["items"] + second["items"]]
    assert ids == sorted(ids, reverse=True) and len(ids) == 3
    assert second["next_cursor"] is None
    bad = {"state=lost": "invalid_field", "endpoint_id=7": "invalid_field", "limit=0": "out_of_range"}
    for query, code in bad.items():
        assert code_of(await desk.send("GET", f"{DELIVERIES}?{query}")) == (422, code), query
    assert code_of(await desk.send("GET", f"{DELIVERIES}?cursor=x")) == (400, "cursor_invalid")


async def test_there_is_an_end_to_endpoints(desk: Desk) -> None:
    async with desk.service.database.transaction() as connection:
        await connection.execute(
            text(
                "INSERT INTO endpoints (id, url, description, secrets, created_at)"
                " SELECT gen_random_uuid(), 'http://127.0.0.1/', '', '[]', now() FROM generate_series(1, 100)"
            )
        )
    assert code_of(await desk.send("POST", ENDPOINTS, {"url": HERE}, key="k")) == (409, "too_many_endpoints")
