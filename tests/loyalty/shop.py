"""A shop that speaks to the loyalty service as any till does: over HTTP, with a signed principal."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text

from builders import ANNA, a_document
from regulars_contracts.envelope import CloudEvent, parse
from regulars_kit.auth import HEADER, PUBLIC, Principal, Signer, Verifier, new_key_pair, route_scopes
from regulars_kit.service import Service
from regulars_loyalty.settings import Settings

PRIVATE_KEY, PUBLIC_KEY = new_key_pair()
ISSUER = "door"
IDENTIFIER_KEY = "5a" * 32

Body = Mapping[str, Any]

_receipts = itertools.count(1)


def a_verifier() -> Verifier:
    """Trusts the tests' door."""
    return Verifier({ISSUER: PUBLIC_KEY}, "loyalty")


def settings_for(database_url: str, **said: Any) -> Settings:
    return Settings(
        database_url=database_url,
        identifier_keys={"k1": IDENTIFIER_KEY},
        identifier_key_id="k1",
        default_region="DE",
        **said,
    )


def a_sale(*nets: int, **said: Any) -> dict[str, Any]:
    """Anna's receipt with a number of its own: one line per amount, of 19.99 euros unless said."""
    lines = [
        {"line_id": str(place), "sku": f"SKU-{place}", "quantity": 1, "net_minor": net}
        for place, net in enumerate(nets or (1999,), 1)
    ]
    return {
        "store": "berlin-mitte",
        "till": "till-1",
        "receipt_no": f"R-{next(_receipts)}",
        "business_date": "2026-02-10",
        "occurred_at": "2026-02-10T12:00:00+01:00",
        "customer": {"id": str(ANNA)},
        "currency": "EUR",
        "lines": lines,
        **said,
    }


@dataclass(frozen=True, slots=True)
class Shop:
    service: Service
    client: httpx.AsyncClient

    @property
    def every_scope(self) -> frozenset[str]:
        return frozenset(scope for scope in route_scopes(self.service.app).values() if scope and scope != PUBLIC)

    def token(self, principal: Principal | None = None) -> str:
        """The principal, signed for the service; a till's that may do everything unless said."""
        return Signer(PRIVATE_KEY, ISSUER).sign(principal or Principal("till-1", "olga", self.every_scope), "loyalty")

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: bytes | None = None,
        key: str | None = None,
        principal: Principal | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send `body` as JSON, or `content` as it is; by a till that may do everything unless said."""
        sent = {HEADER: self.token(principal)}
        if key is not None:
            sent["Idempotency-Key"] = key
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        return await self.client.request(method, path, content=content, headers={**sent, **(headers or {})})

    async def publish(self, code: str = "club", **said: Any) -> None:
        """Publish the plainest programme with these changes: a point per euro that never ends, a cent each."""
        response = await self.send("PUT", f"/v1/programmes/{code}", a_document(**said))
        assert response.status_code == 200, response.text

    async def put(self, sale: Body, purchase_id: UUID | None = None, **how: Any) -> httpx.Response:
        return await self.send("PUT", f"/v1/purchases/{purchase_id or uuid4()}", sale, **how)

    async def sell(self, *nets: int, **said: Any) -> dict[str, Any]:
        """Record a sale and return its answer."""
        response = await self.put(a_sale(*nets, **said))
        assert response.status_code == 201, response.text
        return dict(response.json())

    async def redeem(self, points: int, customer: Body | None = None, **how: Any) -> httpx.Response:
        """Ask for points, with a key of its own."""
        body = {"customer": customer or {"id": str(ANNA)}, "points": points}
        return await self.send("POST", "/v1/redemptions", body, **{"key": str(uuid4()), **how})

    async def balance(self, customer_id: UUID | str = ANNA, **asked: str) -> int:
        """What the customer's only wallet holds, as the API says."""
        response = await self.client.get(f"/v1/accounts/{customer_id}", params=asked, headers={HEADER: self.token()})
        assert response.status_code == 200, response.text
        (wallet,) = response.json()["wallets"]
        return int(wallet["balance"])

    async def batch(self, lines: Sequence[Body | bytes], **how: Any) -> list[dict[str, Any]]:
        """The answers to the lines of a stream."""
        content = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
        ndjson = {"Content-Type": "application/x-ndjson"}
        response = await self.send("POST", "/v1/purchases:batch", content=content, headers=ndjson, **how)
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
