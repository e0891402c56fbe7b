"""A till that speaks HTTP to the whole service, with a clock of its own: for cases whose days are written down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from builders import ANNA, a_document, local
from loyalty.shop import Shop, a_sale, a_verifier, settings_for
from regulars_kit.bus.memory import MemoryBus
from regulars_loyalty.bootstrap import build

Json = dict[str, Any]
AS_ANNA = {"id": str(ANNA)}


@dataclass(slots=True)
class Clock:
    now: datetime = field(default_factory=lambda: local("2027-06-01 12:00"))

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True)
class AtTheTill:
    """Anna's till. `when` is local time in Berlin; whatever is not 2xx fails, unless `status` says what is wanted."""

    shop: Shop
    clock: Clock

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, status: int = 201, **how: Any
    ) -> Json:
        response = await self.shop.send(method, path, body, **how)
        assert response.status_code == status, response.text
        return dict(response.json())

    async def publish(self, code: str = "club", **said: Any) -> Json:
        return await self.ask("PUT", f"/v1/programmes/{code}", a_document(**said), status=200)

    async def sell(self, *nets: int, when: str, status: int = 201, **said: Any) -> Json:
        """One line per amount."""
        sale = a_sale(*nets, occurred_at=local(when).isoformat(), business_date=when[:10], **said)
        return await self.ask("PUT", f"/v1/purchases/{uuid4()}", sale, status=status)

    async def give_back(
        self, purchase: Json, *lines: Json, when: str, return_id: UUID | None = None, status: int = 201
    ) -> Json:
        """No lines: all that is left."""
        body = {"return_id": str(return_id or uuid4()), "lines": list(lines), "occurred_at": local(when).isoformat()}
        return await self.ask("POST", f"/v1/purchases/{purchase['purchase_id']}/returns", body, status=status)

    async def void(self, purchase: Json, *, when: str, status: int = 201) -> Json:
        body = {"occurred_at": local(when).isoformat()}
        return await self.ask("POST", f"/v1/purchases/{purchase['purchase_id']}/void", body, status=status)

    async def redeem(self, points: int, *, when: str, status: int = 201, key: str | None = None) -> Json:
        body = {"customer": AS_ANNA, "points": points, "occurred_at": local(when).isoformat()}
        return await self.ask("POST", "/v1/redemptions", body, status=status, key=key or str(uuid4()))

    async def reverse(self, redemption: Json, points: int | None = None, *, when: str, status: int = 201) -> Json:
        body: Json = {"occurred_at": local(when).isoformat()}
        if points is not None:
            body["points"] = points
        path = f"/v1/redemptions/{redemption['redemption_id']}/reverse"
        return await self.ask("POST", path, body, status=status, key=str(uuid4()))

    async def grant(self, points: int, *, when: str, until: str | None = None, status: int = 201) -> Json:
        """A goodwill lot, or below 0 a correction."""
        body: Json = {"points": points, "reason": "goodwill", "occurred_at": local(when).isoformat()}
        if until is not None:
            body["expires_at"] = local(until).isoformat()
        path = f"/v1/accounts/{ANNA}/adjustments"
        return await self.ask("POST", path, body, status=status, key=str(uuid4()))

    async def wallet(self, when: str | None = None, **asked: str) -> Json:
        """Anna's only wallet, as of a local instant."""
        if when is not None:
            asked["as_of"] = local(when).isoformat()
        account = await self.ask("GET", f"/v1/accounts/{ANNA}?{httpx.QueryParams(asked)}", status=200)
        (wallet,) = account["wallets"]
        return dict(wallet)

    async def balance(self, when: str | None = None, **asked: str) -> int:
        return int((await self.wallet(when, **asked))["balance"])

    async def ledger(self) -> list[Json]:
        answer = await self.ask("GET", f"/v1/accounts/{ANNA}/ledger", status=200)
        return list(answer["items"])

    async def totals(self) -> Json:
        return await self.ask("GET", "/v1/ledger/totals", status=200)


@asynccontextmanager
async def a_till(database_url: str) -> AsyncIterator[AtTheTill]:
    clock = Clock()
    service = build(settings_for(database_url), MemoryBus(), a_verifier(), clock)
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://loyalty") as client:
        yield AtTheTill(Shop(service, client), clock)
    await service.database.close()
