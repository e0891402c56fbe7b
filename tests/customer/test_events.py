"""What happens to a customer is told to the others, in the same commit, and nothing in it names anybody."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from customer.shop import Shop, a_verifier, an_email, ann, settings_for
from regulars_contracts.identifiers import Hasher, Identifier
from regulars_customer.adapters.bus.published import TOPIC, event_of
from regulars_customer.bootstrap import build
from regulars_kit.bus import Received
from regulars_kit.bus.memory import MemoryBus

REGISTERED = "customer.registered.v1"
TRAITS = "customer.traits_changed.v1"
LINKED = "customer.identifier_linked.v1"
UNLINKED = "customer.identifier_unlinked.v1"
CONSENT = "customer.consent_changed.v1"


async def types(shop: Shop) -> list[str]:
    return [event.type for event in await shop.told()]


async def test_a_registration_is_told_with_hashes_traits_and_consents(shop: Shop) -> None:
    customer_id = await shop.register(**ann())
    registered, consent = await shop.told()
    assert (registered.type, consent.type) == (REGISTERED, CONSENT)
    assert (registered.source, registered.subject) == ("/regulars/customer", customer_id)
    # The keyed hash others make of the same card, in whatever spelling: by it a till's purchase finds its customer.
    hasher = Hasher({"k1": bytes.fromhex("5a" * 32)}, "k1")
    card = {"kind": "card", "hash": hasher.hash(Identifier("card", "2900 0000-01"))}
    assert card in registered.data["identifiers"]  # type: ignore[operator]
    assert registered.data["traits"] == {
        "country": "GB",
        "city": "York",
        "language": "en",
        "birth_month": 5,
        "tags": ["club", "vip"],
    }
    assert (registered.data["source"], registered.data["acquisition_cost_minor"]) == ("till", 450)
    assert consent.data["wording_version"] == "2026-01"
    for event in (registered, consent):
        assert event.event(), "fits its published schema"


async def test_each_fact_is_told_once_in_the_order_it_happened(shop: Shop) -> None:
    customer_id = await shop.register()
    path = f"/v1/customers/{customer_id}"
    link = await shop.send("POST", f"{path}/identifiers", an_email())
    await shop.send("PATCH", path, {"traits": {"city": "York"}})
    await shop.send("PUT", f"{path}/consents/marketing/email", {"granted": True})
    await shop.send("DELETE", f"{path}/identifiers/{link.json()['id']}")
    events = await shop.told()
    assert [event.type for event in events] == [REGISTERED, LINKED, TRAITS, CONSENT, UNLINKED]
    assert {event.subject for event in events} == {customer_id}
    assert len({event.id for event in events}) == 5
    assert events[1].data["hash"] == events[4].data["hash"]
    assert all(event.event() for event in events)


@pytest.mark.parametrize(
    ("patch", "is_told"),
    [
        ({"name": "Ann Baker"}, False),
        ({"birth_date": "1990-05-18"}, False),
        ({"attributes": {"shoe_size": 40}}, False),
        ({"birth_date": "1990-06-17"}, True),
        ({"tags": ["club"]}, True),
        ({"language": "de"}, True),
        ({"traits": {"country": "DE"}}, True),
    ],
)
async def test_a_change_is_told_when_a_trait_changes(shop: Shop, patch: dict[str, Any], is_told: bool) -> None:
    customer_id = await shop.register(**ann(consents=[]))
    await shop.send("PATCH", f"/v1/customers/{customer_id}", patch)
    assert await types(shop) == [REGISTERED, *([TRAITS] if is_told else [])]


async def test_traits_are_told_as_they_stand_not_as_they_differ(shop: Shop) -> None:
    customer_id = await shop.register(**ann(consents=[]))
    await shop.send("PATCH", f"/v1/customers/{customer_id}", {"traits": {"city": None}, "tags": []})
    assert (await shop.told())[1].data["traits"] == {"country": "GB", "language": "en", "birth_month": 5}


async def test_an_upsert_tells_what_is_new(shop: Shop) -> None:
    path = "/v1/customers/by-external-id/erp/A-17"
    await shop.send("PUT", path, {"name": "Ann"})
    consent = {"purpose": "marketing", "channel": "sms", "granted": True}
    more = {"traits": {"city": "York"}, "identifiers": [an_email()], "consents": [consent]}
    await shop.send("PUT", path, more)
    await shop.send("PUT", path, more)
    assert await types(shop) == [REGISTERED, TRAITS, LINKED, CONSENT]


async def test_nothing_that_is_told_names_anybody(shop: Shop) -> None:
    customer_id = await shop.register(**ann())
    path = f"/v1/customers/{customer_id}"
    await shop.send("PATCH", path, {"name": "Zoe Zephyr", "traits": {"city": "Leeds"}})
    await shop.send("POST", f"{path}/identifiers", an_email("zoe@zephyr.example"))
    async with shop.service.database.transaction() as connection:
        rows = await connection.execute(text("SELECT key || type || convert_from(body, 'UTF8') FROM outbox"))
        told = "\n".join(rows.scalars()).lower()
    assert told.count(customer_id) >= 4
    secrets = [
        '"ann',
        "ann ",
        "archer",
        "zoe",
        "zephyr",
        "example",
        "1904",
        "551550",
        "29000",
        "a-17",
        "1990",
        "shoe",
        "green",
    ]
    assert [secret for secret in secrets if secret in told] == []


async def test_answers_kept_for_a_retry_name_nobody(shop: Shop) -> None:
    await shop.post(ann(), key="k")
    async with shop.service.database.transaction() as connection:
        kept = str(await connection.scalar(text("SELECT convert_from(answer, 'UTF8') FROM idempotency")))
    assert [secret for secret in ("Ann", "Archer", "example", "551550", "29000") if secret in kept] == []


async def test_a_fact_without_an_event_is_a_bug_that_shows(shop: Shop) -> None:
    with pytest.raises(TypeError, match="no event tells of str"):
        event_of("a fact nobody declared")


async def test_what_is_told_reaches_the_bus_once_committed(shop: Shop) -> None:
    bus = MemoryBus()
    service = build(settings_for(shop.service.database.url), bus, a_verifier())
    await bus.ensure_topics([TOPIC])
    subscription = await bus.subscribe("test", [TOPIC])
    stop = asyncio.Event()
    relaying = asyncio.create_task(service.relay.run(stop))
    customer_id = await shop.register(**ann())
    received: list[Received] = []
    while len(received) < 2:
        received += await subscription.poll(10, 5.0)
    stop.set()
    await relaying
    await service.database.close()
    assert [event.message.type for event in received] == [REGISTERED, CONSENT]
    assert {event.message.key for event in received} == {customer_id}
