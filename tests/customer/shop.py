"""A shop that speaks to the customer service as any client does: over HTTP, with a signed principal."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import text

from regulars_contracts.envelope import CloudEvent, parse
from regulars_customer.settings import Settings
from regulars_kit.auth import HEADER, Principal, Signer, Verifier, new_key_pair
from regulars_kit.service import Service

PRIVATE, PUBLIC = new_key_pair()
CAMPAIGNS_PRIVATE, CAMPAIGNS_PUBLIC = new_key_pair()
ISSUER = "door"
CALLER = "campaign"
EVERY_SCOPE = frozenset({"customers:read", "customers:write", "consents:read", "consents:write"}) | {
    "dead_letters:read",
    "dead_letters:write",
    "internal:contacts",
}

DOOR, CAMPAIGN = Signer(PRIVATE, ISSUER), Signer(CAMPAIGNS_PRIVATE, CALLER)

Body = Mapping[str, Any]


def a_verifier() -> Verifier:
    """Trusts the tests' door."""
    return Verifier({ISSUER: PUBLIC}, "customer")


def settings_for(database_url: str, **said: Any) -> Settings:
    """Settings of a British shop."""
    keys: dict[str, Any] = {"identifier_keys": {"k1": "5a" * 32}, "identifier_key_id": "k1"}
    callers = {CALLER: CAMPAIGNS_PUBLIC}
    return Settings(database_url=database_url, default_region="GB", **{**keys, "callers": callers, **said})


def an_email(value: str = "ann@example.com") -> Body:
    return {"kind": "email", "value": value}


def an_external_id(value: str, source: str = "erp") -> Body:
    return {"kind": "external", "source": source, "value": value}


def ann(**said: Any) -> dict[str, Any]:
    """Ann Archer, who gave all there is to give."""
    return {
        "name": "Ann Archer",
        "given_name": "Ann",
        "family_name": "Archer",
        "birth_date": "1990-05-17",
        "language": "en",
        "time_zone": "Europe/London",
        "traits": {"country": "GB", "city": "York"},
        "tags": ["vip", "club"],
        "attributes": {"shoe_size": 39, "newsletter_colour": "green", "has_dog": True},
        "identifiers": [
            an_email(),
            {"kind": "phone", "value": "+44 1904 551550"},
            {"kind": "card", "value": "29 0000-0001", "verified": True},
            an_external_id("A-17"),
        ],
        "consents": [{"purpose": "marketing", "channel": "email", "granted": True, "wording_version": "2026-01"}],
        "source": "till",
        "acquisition_cost_minor": 450,
        "currency": "GBP",
        **said,
    }


@dataclass(frozen=True, slots=True)
class Shop:
    service: Service
    client: httpx.AsyncClient

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: bytes | AsyncIterator[bytes] | None = None,
        scopes: Sequence[str] | frozenset[str] = EVERY_SCOPE,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        signer: Signer | None = None,
    ) -> httpx.Response:
        """Send `body` as JSON, or `content` as it is, by a principal who holds `scopes`; the door signs for them.

        To /internal the campaign service goes by itself.
        """
        signer = signer or (CAMPAIGN if path.startswith("/internal") else DOOR)
        token = signer.sign(Principal("shop", scopes=frozenset(scopes)), "customer")
        sent = {HEADER: token, **({"Idempotency-Key": key} if key else {})}
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        return await self.client.request(method, path, content=content, headers={**sent, **(headers or {})})

    async def post(self, body: Any, **how: Any) -> httpx.Response:
        """Ask for a registration, with a key of its own."""
        return await self.send("POST", "/v1/customers", body, **{"key": str(uuid4()), **how})

    async def register(self, **said: Any) -> str:
        """The id of a new customer."""
        response = await self.post(said)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    async def read(self, customer_id: str) -> dict[str, Any]:
        response = await self.send("GET", f"/v1/customers/{customer_id}")
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def batch(self, lines: Sequence[Body | bytes], **how: Any) -> list[dict[str, Any]]:
        """The answers to the lines of an import."""
        content = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
        ndjson = {"Content-Type": "application/x-ndjson"}
        response = await self.send("POST", "/v1/customers:batch", content=content, headers=ndjson, **how)
        assert response.status_code == 200, response.text
        return [json.loads(line) for line in response.content.splitlines()]

    async def told(self) -> list[CloudEvent]:
        """What stands in the outbox, in its order."""
        async with self.service.database.transaction() as connection:
            bodies = await connection.execute(text("SELECT body FROM outbox ORDER BY id"))
            return [parse(bytes(body)) for (body,) in bodies]

    async def count(self, table: str) -> int:
        async with self.service.database.transaction() as connection:
            return int(await connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def code_of(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem document."""
    assert response.headers["Content-Type"] == "application/problem+json", response.text
    return response.status_code, str(response.json()["code"])


def place_of(response: httpx.Response) -> str:
    """Where the first fault of a problem document lies: a pointer, or the name of a parameter."""
    error = response.json()["errors"][0]
    return str(error["pointer"] if "pointer" in error else error["parameter"])
