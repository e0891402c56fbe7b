"""The whole chain, on both ways of running: till, points, event, score, segment, message, webhook."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from system.books import balance_of, ledger_of, read
from system.cluster import Cluster, an_open_cluster
from system.marketing import SEGMENT, launch, made, register, score_everybody, simulate_a_year
from system.partner import Partner, a_partner, feed
from system.running import until
from system.shop import Shop, an_open_shop
from system.tills import PROGRAMME

LOCAL = {"REGULARS_GATEWAY_ALLOWED_NETWORKS": "127.0.0.0/8"}


@dataclass(frozen=True, slots=True)
class House:
    """A shop at work: a year of purchases scored, a campaign running, a partner who hears everything."""

    shop: Shop | Cluster
    client: httpx.AsyncClient
    partner: Partner
    messages: Path
    campaign_id: str


@pytest.fixture(scope="module", params=[an_open_shop, an_open_cluster], ids=["embedded", "cluster"])
async def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("chain")
    environment = LOCAL | {"REGULARS_MESSAGES": str(folder / "messages")}
    # The partner before anything is said: what was said before is told to nobody.
    async with (
        request.param(folder / "home", environment) as shop,
        shop.client() as client,
        a_partner(client) as partner,
    ):
        answer = await client.put("/v1/programmes/main", json=PROGRAMME)
        assert answer.status_code in (200, 201), answer.text
        customers = await simulate_a_year(client, random.Random(7))
        await score_everybody(client, customers)
        yield House(shop, client, partner, folder / "messages", await launch(client))


def a_receipt(customer: UUID) -> dict[str, Any]:
    """A coffee for 12.50 EUR and a cake for 7.49 EUR: 19 points, 12 and 7."""
    return {
        "store": "high-street",
        "till": "1",
        "receipt_no": uuid4().hex,
        "business_date": datetime.now(UTC).date().isoformat(),
        "customer": {"id": str(customer)},
        "currency": "EUR",
        "lines": [
            {"line_id": "1", "sku": "coffee", "quantity": 1, "net_minor": 1250},
            {"line_id": "2", "sku": "cake", "quantity": 1, "net_minor": 749},
        ],
    }


async def post_twice_at_once(client: httpx.AsyncClient, receipt: dict[str, Any]) -> dict[str, Any]:
    headers = {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(*[client.post("/v1/purchases", json=receipt, headers=headers) for _ in range(2)])
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    told: dict[str, Any] = answers[0].json()
    return told


async def test_from_the_till_to_the_partner(house: House) -> None:
    client, partner = house.client, house.partner
    ada = await register(client, "ada")

    # A till posts a purchase twice in parallel with one key: one earning.
    told = await post_twice_at_once(client, a_receipt(ada))
    assert await balance_of(client, ada) == 19

    # The score follows, the customer enters the segment, and one message is written.
    scored = await partner.until_told("scoring.customer_scored.v1", ada)
    assert scored["data"]["rfm"]["recency"] == 5
    entered = await partner.until_told("campaign.segment_entered.v1", ada)
    assert entered["data"]["segment"] == SEGMENT
    sent = await partner.until_told("campaign.message_sent.v1", ada)
    [message] = (await read(client, f"/v1/messages?customer_id={ada}"))["items"]
    assert (message["id"], message["state"]) == (sent["data"]["message_id"], "sent")
    letter = json.loads((house.messages / f"{message['id']}.json").read_text())
    assert "Hello Ada!" in json.dumps(letter)

    # A line is returned: its points go back, and the score changes.
    body = {"return_id": str(uuid4()), "lines": [{"line_id": "2"}]}
    answer = await client.post(f"/v1/purchases/{told['purchase_id']}/returns", json=body)
    assert (answer.status_code, answer.json()["taken_back"]) == (201, 7)
    assert [entry["points"] for entry in await ledger_of(client, ada)] == [19, 7]

    async def has_less_value() -> bool:
        state = (await read(client, f"/v1/scores/{ada}"))["state"]
        return bool(state["total_minor"] == 1250)

    await until(has_less_value, "the score does not know of the return")
    await partner.until_told("loyalty.purchase_returned.v1", ada)

    # Each event came under one webhook-id, signed, in the order of the customer's account.
    assert set(partner.ids_per_event().values()) == {1}
    assert partner.repeats() == 0
    of_ada = [event["type"] for event in partner.events().values() if event["subject"] == str(ada)]
    assert of_ada.count("loyalty.purchase_recorded.v1") == 1
    assert of_ada.count("campaign.message_sent.v1") == 1
    told_in_order = [t for t in of_ada if t.startswith("loyalty.")]
    assert told_in_order.index("loyalty.purchase_recorded.v1") < told_in_order.index("loyalty.purchase_returned.v1")


async def test_who_said_no_is_not_written_to(house: House) -> None:
    ben = await register(house.client, "ben", may_be_written_to=False)
    await post_twice_at_once(house.client, a_receipt(ben))
    await house.partner.until_told("scoring.customer_scored.v1", ben)
    assert (await read(house.client, f"/v1/messages?customer_id={ben}"))["items"] == []
    assert house.partner.of("campaign.segment_entered.v1", ben) == []


async def test_the_360_knows_what_every_service_said(house: House) -> None:
    cleo = await register(house.client, "cleo")
    await post_twice_at_once(house.client, a_receipt(cleo))
    await house.partner.until_told("campaign.message_sent.v1", cleo)

    async def is_whole() -> bool:
        picture = await read(house.client, f"/v1/customers/{cleo}/360")
        return bool(picture["score"]["value"] and picture["segments"]["value"])

    async def has_told_all() -> bool:
        kinds = {entry["kind"] for entry in (await read(house.client, f"/v1/customers/{cleo}/timeline"))["items"]}
        return {"registered", "purchase_recorded", "message_sent"} <= kinds

    await until(is_whole, "the 360 does not hear of score and segment")
    await until(has_told_all, "the timeline misses what the partner was told")


async def test_the_feed_and_the_partner_heard_the_same(house: House) -> None:
    dora = await register(house.client, "dora")
    await post_twice_at_once(house.client, a_receipt(dora))
    await house.partner.until_told("campaign.message_sent.v1", dora)

    async def is_level() -> bool:
        heard = await feed(house.client)
        return heard.keys() == house.partner.events().keys()

    await until(is_level, "the partner and the feed differ", 60)


async def test_a_key_that_is_revoked_opens_nothing_within_five_seconds(house: House) -> None:
    body = {"name": "till 9", "scopes": ["purchases:write"]}
    made_key = await made(house.client, "/v1/keys", body)
    bearer = {"Authorization": f"Bearer {made_key['key']}"}
    async with httpx.AsyncClient(base_url=house.shop.url, headers=bearer, trust_env=False) as till:
        assert (await till.post("/v1/purchases", json={}, headers={"Idempotency-Key": "k"})).status_code == 422
        assert (await till.get("/v1/customers")).status_code == 403
        assert (await house.client.delete(f"/v1/keys/{made_key['id']}")).status_code == 204

        async def is_shut_out() -> bool:
            return (await till.get("/v1/customers")).status_code == 401

        await until(is_shut_out, "the key still opens", within_s=6)
