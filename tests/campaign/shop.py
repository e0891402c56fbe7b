"""A shop that speaks to the campaign service over HTTP, and lets it hear what the other services tell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text

from regulars_campaign.adapters.contacts.customer_service import CustomerService
from regulars_campaign.adapters.sending.file_sink import FileSink
from regulars_campaign.application.send_messages import Post, send_messages
from regulars_campaign.application.sweep_segments import sweep_segments
from regulars_campaign.bootstrap import build
from regulars_campaign.settings import Settings
from regulars_contracts.envelope import CloudEvent, envelope, parse
from regulars_contracts.events import Event
from regulars_kit.auth import HEADER, Principal, Signer, Verifier, new_key_pair
from regulars_kit.bus import Message
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.job_runner import JobRunner
from regulars_kit.service import Service
from regulars_kit.values import new_id

PRIVATE, PUBLIC = new_key_pair()
OWN_PRIVATE, OWN_PUBLIC = new_key_pair()
ISSUER = "door"
CUSTOMER = "http://customer"
EVERY_SCOPE = frozenset(
    {
        *("segments:read", "segments:write", "templates:read", "templates:write", "campaigns:read", "campaigns:write"),
        *("messages:read", "dead_letters:read", "dead_letters:write", "jobs:read", "jobs:write"),
    }
)
NOON = datetime(2026, 3, 20, 11, tzinfo=UTC)
"""Noon in Berlin."""
LEASE_OVER = "UPDATE messages SET next_try_at = now() WHERE state IN ('due', 'claimed')"
"""All who hold a message are taken for dead, and whatever waits for another try has waited."""


@dataclass
class WallClock:
    """Stands still until it is set."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)


@dataclass
class Desk:
    """The customer service's answers about contacts: everybody may be written to, but for those said otherwise."""

    reasons: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    is_away: bool = False
    answer: Callable[[], httpx.Response] | None = None
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    def forget(self) -> None:
        self.reasons.clear()
        self.asked.clear()
        self.is_away, self.answer = False, None
        self.was_asked.clear()

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if self.is_away:
            raise httpx.ConnectError("away")
        principal = Verifier({"campaign": OWN_PUBLIC}, "customer").verify(request.headers[HEADER])
        assert principal.scopes == {"internal:contacts"}
        assert request.url.path == "/internal/contacts:resolve"
        asked = json.loads(request.content)
        self.asked.append(asked)
        self.was_asked.set()
        if self.answer is not None:
            return self.answer()
        return httpx.Response(200, json={"items": [self._item(customer) for customer in asked["customer_ids"]]})

    def _item(self, customer: str) -> dict[str, Any]:
        reason = self.reasons.get(customer)
        known = {"address": f"{customer[:8]}@example.com", "display_name": "Anna", "language": "de"}
        item = {"customer_id": customer, "allowed": reason is None, "reason": reason}
        return {**item, **(known if reason is None else dict.fromkeys(known))}


def a_verifier() -> Verifier:
    """Trusts the tests' door."""
    return Verifier({ISSUER: PUBLIC}, "campaign")


def settings_for(database_url: str, **said: Any) -> Settings:
    """Settings of a shop in Berlin."""
    return Settings(database_url=database_url, **{"time_zone": "Europe/Berlin", **said})


def a_service(database_url: str, desk: Desk, clock: Callable[[], datetime], **said: Any) -> Service:
    return build(
        settings_for(database_url, **said),
        MemoryBus(),
        a_verifier(),
        clock,
        signer=Signer(OWN_PRIVATE, "campaign"),
        transport=httpx.MockTransport(desk.handle),
    )


@dataclass(frozen=True, slots=True)
class Shop:
    service: Service
    client: httpx.AsyncClient
    clock: WallClock
    desk: Desk
    sink: Path

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: bytes | None = None,
        scopes: Sequence[str] | frozenset[str] = EVERY_SCOPE,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send `body` as JSON, or `content` as it is, by a principal who holds `scopes`."""
        token = Signer(PRIVATE, ISSUER).sign(Principal("shop", scopes=frozenset(scopes)), "campaign")
        sent = {HEADER: token, **({"Idempotency-Key": key} if key else {})}
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        return await self.client.request(method, path, content=content, headers={**sent, **(headers or {})})

    async def post(self, path: str, body: Any, **how: Any) -> httpx.Response:
        """Ask for something to be made, with a key of its own."""
        return await self.send("POST", path, body, **{"key": str(uuid4()), **how})

    async def get(self, path: str) -> dict[str, Any]:
        response = await self.send("GET", path)
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def make(self, path: str, body: Any) -> dict[str, Any]:
        response = await self.post(path, body)
        assert response.status_code == 201, response.text
        return dict(response.json())

    async def segment(self, rule: Mapping[str, Any], code: str = "vip") -> str:
        """The id of a new segment whose members have been found."""
        made = await self.make("/v1/segments", {"code": code, "rule": rule})
        await self.do_jobs()
        return str(made["id"])

    async def members(self, segment_id: str) -> set[UUID]:
        page = await self.get(f"/v1/segments/{segment_id}/members?limit=200")
        return {UUID(member["customer_id"]) for member in page["items"]}

    async def preview(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        response = await self.send("POST", "/v1/segments:preview", {"rule": rule})
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def campaign(self, trigger: Mapping[str, Any] | None = None, **said: Any) -> str:
        """The id of a campaign that runs."""
        await self.make("/v1/templates", a_template())
        wanted = {"code": "win-back", "trigger": trigger or {"kind": "churn_risk_raised"}, "template": "miss-you"}
        made = await self.make("/v1/campaigns", {**wanted, **said})
        launched = await self.send("POST", f"/v1/campaigns/{made['id']}/launch")
        assert launched.status_code == 200, launched.text
        return str(made["id"])

    async def hear(self, event: Event, event_id: UUID | None = None) -> object:
        """Hand an event to the consumer, once; None when it is handled."""
        assert self.service.consumer is not None
        return await self.service.consumer.handle(self.message(event, event_id))

    def message(self, event: Event, event_id: UUID | None = None) -> Message:
        """An event on its way, told at this moment."""
        identity = event_id or new_id()
        subject = str(getattr(event, "customer_id", None) or identity)
        service = event.type.split(".")[0]
        body = envelope(event, source_service=service, subject=subject, time=self.clock(), id=identity).to_bytes()
        return Message(identity, event.type, subject, body)

    async def do_jobs(self) -> None:
        """Run what was asked for in the background, to its end."""
        runner = JobRunner(self.service.database, self.service.jobs)
        while await runner.run_next():
            pass

    async def sweep(self) -> None:
        context = self.service.app.state.campaign
        await sweep_segments(context.begin, context.now)

    async def deliver(self, **said: Any) -> int:
        """Send once what is due, by such settings; how many messages were claimed."""
        context = self.service.app.state.campaign
        contacts = CustomerService(CUSTOMER, Signer(OWN_PRIVATE, "campaign"), httpx.MockTransport(self.desk.handle))
        providers = {"email": FileSink(self.sink, "email")}
        costs = settings_for(self.service.database.url, **said).message_costs
        post = Post(context.begin, contacts, context.renderer, providers, context.now, costs)
        try:
            return await send_messages(post)
        finally:
            await contacts.close()

    def letters(self) -> list[dict[str, Any]]:
        """What lies in the folder of sent messages."""
        return [json.loads(path.read_text()) for path in sorted(self.sink.glob("*.json"))]

    async def messages(self, **wanted: Any) -> list[dict[str, Any]]:
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        return list((await self.get(f"/v1/messages?{query}"))["items"])

    async def told(self) -> list[CloudEvent]:
        """What stands in the outbox, in its order."""
        async with self.service.database.transaction() as connection:
            bodies = await connection.execute(text("SELECT body FROM outbox ORDER BY id"))
            return [parse(bytes(body)) for (body,) in bodies]

    async def types(self) -> list[str]:
        return [event.type for event in await self.told()]

    async def execute(self, statement: str) -> None:
        async with self.service.database.transaction() as connection:
            await connection.execute(text(statement))

    async def count(self, table: str) -> int:
        async with self.service.database.transaction() as connection:
            return int(await connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def a_template(**said: Any) -> dict[str, Any]:
    body = "Hello {{ customer.name | default: 'there' }}, you have {{ customer.balance | default: 0 }} points."
    return {"code": "miss-you", "subject": "We miss you", "body": body, **said}


def code_of(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem document."""
    assert response.headers["Content-Type"] == "application/problem+json", response.text
    return response.status_code, str(response.json()["code"])


def place_of(response: httpx.Response) -> str:
    """Where the first fault of a problem document lies: a pointer, or the name of a parameter."""
    error = response.json()["errors"][0]
    return str(error["pointer"] if "pointer" in error else error["parameter"])
