"""What the shop's marketers have set up before the story begins: scores of everybody, a segment, a campaign."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from system.books import read
from system.running import until

CUSTOMERS = 40
DAYS = 300
SEGMENT = "fresh-fans"
CAMPAIGN = "thank-you"
RULE: Mapping[str, Any] = {"all": [{"consent": "marketing/email"}, {"score": "recency", "gte": 5}]}
"""Who may be written to and bought lately: the score is the last thing that they are waiting for."""


async def made(client: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """POST something new, under a key of its own."""
    answer = await client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code in (200, 201, 202), (path, answer.text)
    told: dict[str, Any] = answer.json()
    return told


async def register(client: httpx.AsyncClient, name: str, *, may_be_written_to: bool = True) -> UUID:
    """A customer with an e-mail address of their own and a yes, or a no, to marketing by e-mail."""
    address = f"{name}-{uuid4().hex[:8]}@example.com"
    consent = {"purpose": "marketing", "channel": "email", "granted": may_be_written_to, "source": "web"}
    if may_be_written_to:
        consent["wording_version"] = "2026-01"
    body = {"name": name.title(), "identifiers": [{"kind": "email", "value": address}], "consents": [consent]}
    return UUID((await made(client, "/v1/customers", body))["id"])


def a_past_purchase(customer: UUID, at: datetime, chance: random.Random) -> dict[str, Any]:
    return {
        "store": "high-street",
        "till": "history",
        "receipt_no": uuid4().hex,
        "business_date": at.date().isoformat(),
        "occurred_at": at.isoformat(),
        "customer": {"id": str(customer)},
        "currency": "EUR",
        "lines": [{"line_id": "1", "sku": "coffee", "quantity": 1, "net_minor": chance.randint(500, 9_000)}],
    }


async def simulate_a_year(client: httpx.AsyncClient, chance: random.Random) -> list[UUID]:
    """Customers who buy more and less often, and some who stopped; all are posted by the tills' own path."""
    customers = [uuid4() for _ in range(CUSTOMERS)]
    now = datetime.now(UTC)
    for customer in customers:
        pace, days_ago = chance.uniform(15, 90), chance.uniform(DAYS / 3, DAYS)
        ends = chance.choice([5.0, 5.0, days_ago / 2])
        while days_ago > ends:
            receipt = a_past_purchase(customer, now - timedelta(days=days_ago), chance)
            answer = await client.put(f"/v1/purchases/{uuid4()}", json=receipt)
            assert answer.status_code == 201, answer.text
            days_ago -= chance.expovariate(1 / pace) + 0.01
    return customers


async def score_everybody(client: httpx.AsyncClient, customers: Sequence[UUID]) -> Mapping[str, Any]:
    """Start a run once every customer's purchases have been heard of, and return it when it has ended."""

    async def run() -> Mapping[str, Any]:
        started = await made(client, "/v1/scoring/runs", {})
        told: Mapping[str, Any] = {}

        async def has_ended() -> bool:
            nonlocal told
            told = await read(client, f"/v1/scoring/runs/{started['run_id']}")
            return told["state"] in ("completed", "failed", "cancelled")

        await until(has_ended, "the run does not end", 120)
        return told

    for _ in range(20):
        done = await run()
        if done["state"] == "completed" and done["customers"] >= len(customers):
            return done
        await asyncio.sleep(0.5)
    raise AssertionError(f"not everybody was scored: {done}")


async def launch(client: httpx.AsyncClient, rule: Mapping[str, Any] = RULE) -> str:
    """The segment, the letter and the campaign that writes it to who enters; the campaign's id once it runs."""
    await made(client, "/v1/segments", {"code": SEGMENT, "rule": rule})

    async def is_built() -> bool:
        (segment,) = [s for s in (await read(client, "/v1/segments"))["items"] if s["code"] == SEGMENT]
        return bool(segment["status"] == "ready")

    await until(is_built, "the segment is not built")
    letter = {"code": "thanks", "subject": "Thank you, {{ customer.name }}", "body": "Hello {{ customer.name }}!"}
    await made(client, "/v1/templates", letter)
    trigger = {"kind": "segment_entered", "segment": SEGMENT}
    campaign = await made(client, "/v1/campaigns", {"code": CAMPAIGN, "trigger": trigger, "template": "thanks"})
    answer = await client.post(f"/v1/campaigns/{campaign['id']}/launch")
    assert answer.status_code == 200, answer.text
    return str(campaign["id"])
