"""What a customer allows: a ledger that only grows, and no record means no."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from customer.shop import Shop, ann, code_of, place_of


async def consents_of(shop: Shop, customer_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What holds, by `purpose/channel`, and the ledger."""
    response = await shop.send("GET", f"/v1/customers/{customer_id}/consents")
    assert response.status_code == 200, response.text
    body = response.json()
    return {f"{item['purpose']}/{item['channel']}": item for item in body["items"]}, body["records"]


async def decide(shop: Shop, customer_id: str, what: str, **said: Any) -> dict[str, Any]:
    response = await shop.send("PUT", f"/v1/customers/{customer_id}/consents/{what}", said)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def test_no_record_means_no(shop: Shop) -> None:
    holding, records = await consents_of(shop, await shop.register())
    assert len(holding) == 15
    assert not any(item["granted"] for item in holding.values())
    assert holding["marketing/email"]["recorded_at"] is None
    assert records == []


async def test_a_yes_is_for_its_purpose_and_its_channel_alone(shop: Shop) -> None:
    customer_id = await shop.register()
    record = await decide(shop, customer_id, "marketing/email", granted=True, wording_version="2026-01", source="web")
    holding, records = await consents_of(shop, customer_id)
    assert [what for what, item in holding.items() if item["granted"]] == ["marketing/email"]
    assert records == [record] == [holding["marketing/email"]]
    assert (record["wording_version"], record["source"]) == ("2026-01", "web")


async def test_a_no_holds_at_once_and_the_yes_before_it_stays_on_record(shop: Shop) -> None:
    customer_id = await shop.register(**ann())
    await decide(shop, customer_id, "marketing/email", granted=False)
    holding, records = await consents_of(shop, customer_id)
    assert holding["marketing/email"]["granted"] is False
    assert [record["granted"] for record in records] == [True, False]


async def test_a_decision_said_again_is_recorded_once(shop: Shop) -> None:
    customer_id = await shop.register()
    first = await decide(shop, customer_id, "marketing/sms", granted=True, wording_version="1")
    assert await decide(shop, customer_id, "marketing/sms", granted=True, wording_version="1") == first
    assert await shop.count("consents") == 1
    await decide(shop, customer_id, "marketing/sms", granted=True, wording_version="2")
    assert await shop.count("consents") == 2, "a yes to another text is another yes"


async def test_decisions_at_once_all_reach_the_ledger_and_the_last_holds(shop: Shop) -> None:
    customer_id = await shop.register()
    await asyncio.gather(
        *(decide(shop, customer_id, "marketing/email", granted=bool(n % 2), source=f"s{n}") for n in range(10))
    )
    holding, records = await consents_of(shop, customer_id)
    assert len(records) == 10
    assert holding["marketing/email"] == records[-1]
    told = [event.data["source"] for event in await shop.told() if event.type == "customer.consent_changed.v1"]
    assert told == [record["source"] for record in records], "the others hear it in the order of the ledger"


async def test_consents_of_a_registration_say_where_it_came_from(shop: Shop) -> None:
    _, records = await consents_of(shop, await shop.register(**ann()))
    assert [(record["purpose"], record["granted"], record["source"]) for record in records] == [
        ("marketing", True, "till")
    ]


async def test_one_registration_cannot_say_yes_and_no(shop: Shop) -> None:
    both = [{"purpose": "marketing", "channel": "email", "granted": granted} for granted in (True, False)]
    response = await shop.post(ann(consents=both))
    assert code_of(response) == (422, "contradictory_fields")
    assert place_of(response) == "/consents/1"


async def test_the_ledger_is_never_rewritten(shop: Shop) -> None:
    await shop.register(**ann())
    with pytest.raises(DBAPIError, match="never rewritten"):
        async with shop.service.database.transaction() as connection:
            await connection.execute(text("UPDATE consents SET is_granted = false"))


async def test_consents_of_a_customer_nobody_knows_are_not_found(shop: Shop) -> None:
    path = f"/v1/customers/{uuid4()}/consents"
    assert code_of(await shop.send("GET", path)) == (404, "unknown_customer")
    assert code_of(await shop.send("PUT", f"{path}/marketing/email", {"granted": True})) == (404, "unknown_customer")


@pytest.mark.parametrize("what", ["marketing/pigeon", "service/email"])
async def test_purposes_and_channels_are_the_ones_there_are(shop: Shop, what: str) -> None:
    path = f"/v1/customers/{await shop.register()}/consents/{what}"
    assert code_of(await shop.send("PUT", path, {"granted": True})) == (422, "invalid_field")
