"""A partner on the other side of the webhooks: checks every signature, and keeps what each event came as."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import standardwebhooks

from gateway.receiver import Receiver, Reply, Webhook, a_receiver
from system.books import read
from system.running import until


@dataclass(slots=True)
class Partner:
    """`secret` is the endpoint's, as it was shown once."""

    receiver: Receiver
    endpoint_id: str
    secret: str
    _told: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _checked: int = 0

    def events(self) -> Mapping[str, Mapping[str, Any]]:
        """What was told, by event id. Raises WebhookVerificationError for one that the shop did not sign."""
        signed = standardwebhooks.Webhook(self.secret)
        for webhook in self.receiver.got[self._checked :]:
            signed.verify(webhook.body, dict(webhook.headers))
            self._told[webhook.event["id"]] = webhook.event
            self._checked += 1
        return self._told

    async def hear(self, webhook: Webhook) -> Reply:
        """Check it as it comes: five minutes later no receiver would believe it any more."""
        self.events()
        return Reply()

    def repeats(self) -> int:
        """How many webhooks came again under an id that had come before."""
        return len(self.receiver.got) - len({webhook.id for webhook in self.receiver.got})

    def ids_per_event(self) -> Counter[str]:
        """How many `webhook-id`s each event came under."""
        return Counter(event for event, _ in {(webhook.event["id"], webhook.id) for webhook in self.receiver.got})

    def of(self, type: str, customer: object) -> list[Mapping[str, Any]]:
        """The customer's events of that type, in the order in which they first came."""
        return [e for e in self.events().values() if e["type"] == type and e["subject"] == str(customer)]

    async def until_told(self, type: str, customer: object, within_s: float = 60) -> Mapping[str, Any]:
        """Return the customer's first event of that type."""

        async def is_told() -> bool:
            return bool(self.of(type, customer))

        await until(is_told, f"no {type} was told of", within_s)
        return self.of(type, customer)[0]


@asynccontextmanager
async def a_partner(client: httpx.AsyncClient) -> AsyncIterator[Partner]:
    """A partner who hears everything from now on."""
    async with a_receiver() as receiver:
        headers = {"Idempotency-Key": str(uuid4())}
        answer = await client.post("/v1/webhooks/endpoints", json={"url": receiver.url}, headers=headers)
        assert answer.status_code == 201, answer.text
        partner = Partner(receiver, answer.json()["id"], answer.json()["secret"])
        receiver.behaviour = partner.hear
        yield partner


async def feed(client: httpx.AsyncClient) -> dict[str, Mapping[str, Any]]:
    """All events of the pull feed, by their ids. Fails when its numbers have a gap."""
    events: dict[str, Mapping[str, Any]] = {}
    after = 0
    while items := (page := await read(client, "/v1/events", {"limit": "200", "after": str(after)}))["items"]:
        assert [item["sequence"] for item in items] == list(range(after + 1, after + 1 + len(items)))
        events |= {item["event"]["id"]: item["event"] for item in items}
        after = page["read_up_to"]
    return events
