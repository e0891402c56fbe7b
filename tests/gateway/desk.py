"""A gateway as its callers and its neighbours meet it: over HTTP with a signed principal, and over the bus."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from regulars_contracts.envelope import encode
from regulars_gateway.bootstrap import build
from regulars_gateway.settings import Settings
from regulars_kit.auth import HEADER, Principal, Signer, Verifier, new_key_pair
from regulars_kit.bus import Message
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.service import Service, run_loops
from regulars_kit.values import Clock, new_id, utc_now

PRIVATE, PUBLIC = new_key_pair()
ISSUER = "gateway"
OWN_SCOPES = frozenset(
    {
        "keys:read",
        "keys:write",
        "webhooks:read",
        "webhooks:write",
        "events:read",
        "dead_letters:read",
        "dead_letters:write",
    }
)
TILL_SCOPES = frozenset({"purchases:write", "accounts:read"})
EVERY_SCOPE = OWN_SCOPES | TILL_SCOPES
Body = Mapping[str, Any]
ENDPOINTS = "/v1/webhooks/endpoints"
DELIVERIES = "/v1/webhooks/deliveries"
EARNED, RECORDED, REGISTERED = "loyalty.points_earned.v1", "loyalty.purchase_recorded.v1", "customer.registered.v1"

LOYALTY_DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "loyalty", "version": "1"},
    "paths": {
        "/v1/purchases": {"post": {"x-scope": "purchases:write", "responses": {}}},
        "/v1/accounts/{id}": {"get": {"x-scope": "accounts:read", "responses": {}}},
        "/v1/unsubscribe": {"get": {"x-scope": "public", "responses": {}}},
        "/internal/subjects/{id}": {"get": {"x-scope": "internal:subjects", "responses": {}}},
    },
}


def settings_for(database_url: str, **said: Any) -> Settings:
    """Settings of a gateway that may reach this machine and does not wait long."""
    usual: dict[str, Any] = {"allowed_networks": "127.0.0.0/8", "retry_schedule_s": "0.05,0.1", "retry_jitter": 0}
    return Settings(database_url=database_url, **{**usual, **said})


def a_gateway(settings: Settings, bus: MemoryBus, clock: Clock = utc_now) -> Service:
    return build(
        settings,
        bus,
        Verifier({ISSUER: PUBLIC}, "gateway"),
        clock,
        signer=Signer(PRIVATE, ISSUER),
        documents={"loyalty": lambda: LOYALTY_DOCUMENT},
    )


def an_event(customer: UUID | str, type_: str = EARNED, **data: Any) -> Message:
    """An event as its service published it. Nobody here reads its data."""
    event_id = new_id()
    source = "/regulars/" + type_.partition(".")[0]
    body = encode(type=type_, source=source, subject=str(customer), id=event_id, time=datetime.now(UTC), data=data)
    return Message(event_id, type_, str(customer), body)


@dataclass(frozen=True, slots=True)
class Desk:
    service: Service
    client: httpx.AsyncClient
    bus: MemoryBus

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        scopes: frozenset[str] = EVERY_SCOPE,
        stores: frozenset[str] | None = None,
        key: str | None = None,
        content: bytes | None = None,
        client: str = "office",
    ) -> httpx.Response:
        """Send `body` as JSON, or `content` as it is, by a principal who holds `scopes`."""
        token = Signer(PRIVATE, ISSUER).sign(Principal(client, None, scopes, stores), "gateway")
        headers = {HEADER: token, **({"Idempotency-Key": key} if key else {})}
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        return await self.client.request(method, path, content=content, headers=headers)

    async def make(self, path: str, body: Any, **how: Any) -> dict[str, Any]:
        """What a POST has made."""
        response = await self.send("POST", path, body, **{"key": str(uuid4()), **how})
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    async def subscribe(self, url: str, **said: Any) -> dict[str, Any]:
        """A new endpoint, with its secret."""
        return await self.make(ENDPOINTS, {"url": url, **said})

    async def publish(self, *messages: Message) -> None:
        """What the services say."""
        for message in messages:
            topic = "regulars." + message.type.partition(".")[0]
            await self.bus.ensure_topics([topic])
            await self.bus.publish(topic, [message])

    async def hear(self, *messages: Message) -> None:
        """The gateway takes events, without a bus between."""
        assert self.service.consumer is not None
        for message in messages:
            assert await self.service.consumer.handle(message) is None

    async def deliveries(self, **wanted: str) -> list[dict[str, Any]]:
        response = await self.send("GET", f"{DELIVERIES}?limit=200&" + "&".join(f"{k}={v}" for k, v in wanted.items()))
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["items"]
        return found

    async def until_delivered(self, number: int, state: str = "delivered") -> list[dict[str, Any]]:
        """Return once so many deliveries are in the state."""
        found: list[dict[str, Any]] = []

        async def is_so() -> bool:
            found[:] = await self.deliveries(state=state)
            return len(found) >= number

        await until(is_so)
        return found

    async def until_disabled(self, endpoint_id: str) -> dict[str, Any]:
        """The endpoint, once it is disabled."""
        shown: dict[str, Any] = {}

        async def is_so() -> bool:
            shown.update((await self.send("GET", f"{ENDPOINTS}/{endpoint_id}")).json())
            return not shown["enabled"]

        await until(is_so)
        return shown

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """`consume` runs beside."""
        async with working(self.service):
            yield


async def until(is_so: Callable[[], Awaitable[bool]], within_s: float = 20) -> None:
    """Look again and again until it is so. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while True:
            if await is_so():
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def working(service: Service) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.ensure_future(run_loops(service.consume_loops(), stop=stop))
    try:
        yield
    finally:
        stop.set()
        await running


def code_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def places_of(response: httpx.Response) -> Sequence[str]:
    faults: Sequence[Mapping[str, str]] = response.json().get("errors", [])
    return [fault.get("pointer") or fault.get("parameter", "") for fault in faults]
