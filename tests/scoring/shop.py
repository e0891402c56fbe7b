"""A shop that the scoring service hears of as it does in life: by events; and that asks it over HTTP."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text

from builders import ANNA, BEN, an_id
from regulars_contracts.envelope import CloudEvent, envelope, parse
from regulars_contracts.events import Event
from regulars_contracts.events.customer import Erased, Merged, Registered, Unmerged
from regulars_contracts.events.loyalty import (
    Balance,
    PurchaseClaimed,
    PurchaseLine,
    PurchaseRecorded,
    PurchaseReturned,
    ReturnedLine,
)
from regulars_kit.auth import HEADER, PUBLIC, Principal, Signer, Verifier, new_key_pair, route_scopes
from regulars_kit.bus import Message
from regulars_kit.job_runner import JobRunner
from regulars_kit.service import Service
from regulars_scoring.settings import Settings

PRIVATE_KEY, PUBLIC_KEY = new_key_pair()
ISSUER = "door"
TODAY = date(2026, 6, 30)


@dataclass
class Watch:
    """The shop's clock: ten in the morning until somebody moves it."""

    at: datetime = field(default_factory=lambda: datetime(2026, 6, 30, 8, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at

    def moves_on(self, **by: float) -> None:
        self.at += timedelta(**by)


def a_verifier() -> Verifier:
    """Trusts the tests' door."""
    return Verifier({ISSUER: PUBLIC_KEY}, "scoring")


def settings_for(database_url: str, **said: Any) -> Settings:
    return Settings(**{"database_url": database_url, "time_zone": "Europe/Berlin", **said})


def day(text_or_day: str | date) -> date:
    return date.fromisoformat(text_or_day) if isinstance(text_or_day, str) else text_or_day


def a_sale(
    total: int = 1999,
    on: str | date = "2026-02-10",
    customer_id: UUID | None = ANNA,
    purchase_id: UUID | None = None,
    currency: str = "EUR",
) -> PurchaseRecorded:
    """A receipt of Anna's with one line."""
    line = PurchaseLine(line_id="1", sku="SHOE-42", quantity="1", net_minor=total, points=0)
    return PurchaseRecorded(
        purchase_id=purchase_id or an_id(),
        customer_id=customer_id,
        programme="club",
        wallet="points",
        store="berlin-mitte",
        till="till-1",
        business_date=day(on),
        occurred_at=datetime(2026, 2, 10, 12, tzinfo=UTC),
        currency=currency,
        total_minor=total,
        lines=(line,),
        earned=0,
        tier=None,
        balance=None,
    )


def a_return(
    amount: int = 1999,
    of: PurchaseRecorded | None = None,
    on: str | date = "2026-03-01",
    return_id: UUID | None = None,
    **said: Any,
) -> PurchaseReturned:
    """Goods of a sale come back, or of none."""
    given: dict[str, Any] = {
        "return_id": return_id or an_id(),
        "purchase_id": of.purchase_id if of else None,
        "purchase_day": of.business_date if of else None,
        "customer_id": of.customer_id if of else ANNA,
        "currency": of.currency if of else "EUR",
        **said,
    }
    return PurchaseReturned(
        programme="club",
        wallet="points",
        business_date=day(on),
        occurred_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        lines=(ReturnedLine(sku="SHOE-42", net_minor=amount, points=0),),
        taken_back=0,
        restored=0,
        balance=None,
        **given,
    )


def a_claim(sale: PurchaseRecorded, customer_id: UUID = ANNA) -> PurchaseClaimed:
    return PurchaseClaimed(
        purchase_id=sale.purchase_id,
        purchase_day=sale.business_date,
        customer_id=customer_id,
        programme="club",
        wallet="points",
        occurred_at=sale.occurred_at,
        earned=0,
        balance=Balance(spendable=0, pending=0, held=0, debt=0, account_seq=0),
    )


def a_registration(customer_id: UUID = ANNA) -> Registered:
    return Registered(customer_id=customer_id, registered_at=datetime(2026, 2, 1, tzinfo=UTC), source="till")


def a_merge(
    merged: UUID = BEN, surviving: UUID = ANNA, merge_id: UUID | None = None, *, said_to: UUID | None = None
) -> Merged:
    """Ben turns out to be Anna; as it is said to Ben unless to somebody else."""
    return Merged(
        customer_id=said_to or merged,
        merge_id=merge_id or an_id(),
        surviving_id=surviving,
        merged_id=merged,
        occurred_at=datetime(2026, 6, 1, tzinfo=UTC),
    )


def undone(merge: Merged, *, said_to: UUID | None = None) -> Unmerged:
    """It was a mistake."""
    return Unmerged(**{**merge.model_dump(), "customer_id": said_to or merge.customer_id})


def an_erasure(customer_id: UUID = ANNA) -> Erased:
    return Erased(customer_id=customer_id, erased_at=datetime(2026, 6, 2, tzinfo=UTC))


def a_crowd(customers: int = 60, seed: int = 7) -> list[PurchaseRecorded]:
    """Purchases of half a year: some customers came once, some often, some have been away for long."""
    chance = random.Random(seed)
    sales = []
    for _ in range(customers):
        customer, first = uuid4(), TODAY - timedelta(days=chance.randint(60, 180))
        rate = chance.gammavariate(0.8, 1 / 25)
        sales.append(a_sale(chance.randint(500, 9000), first, customer))
        on, usual = first, chance.randint(800, 6000)
        while chance.random() > 0.25 and (on := on + timedelta(days=1 + int(chance.expovariate(rate)))) <= TODAY:
            sales.append(a_sale(max(1, int(chance.gauss(usual, usual / 4))), on, customer))
    return sales


@dataclass(frozen=True, slots=True)
class Shop:
    service: Service
    client: httpx.AsyncClient
    watch: Watch

    async def hear(self, *events: Event, event_id: UUID | None = None) -> None:
        """Hand events to the consumer, each once; it must handle every one."""
        for event in events:
            assert await self.hand(event, event_id or an_id()) is None

    async def hand(self, event: Event, event_id: UUID) -> object:
        """Hand one event to the consumer; None when it is handled, else the reason it never will be."""
        assert self.service.consumer is not None
        return await self.service.consumer.handle(self.as_told(event, event_id))

    def as_told(self, event: Event, event_id: UUID | None = None) -> Message:
        """The event as it is on the bus, all of them in one order."""
        event_id = event_id or an_id()
        body = envelope(event, source_service=event.type.split(".")[0], subject=ANNA, time=self.watch(), id=event_id)
        return Message(event_id, event.type, str(ANNA), body.to_bytes())

    def token(self, scopes: frozenset[str] | None = None) -> str:
        """A principal who holds these scopes, or all there are, signed for the service."""
        every = frozenset(scope for scope in route_scopes(self.service.app).values() if scope and scope != PUBLIC)
        principal = Principal("console", "olga", every if scopes is None else scopes)
        return Signer(PRIVATE_KEY, ISSUER).sign(principal, "scoring")

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: bytes | None = None,
        key: str | None = None,
        scopes: frozenset[str] | None = None,
    ) -> httpx.Response:
        """Send `body` as JSON, or `content` as it is, by somebody who may do everything unless said."""
        headers = {HEADER: self.token(scopes)}
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        return await self.client.request(method, path, content=content, headers=headers)

    async def get(self, path: str) -> dict[str, Any]:
        response = await self.send("GET", path)
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def score(self, customer_id: UUID = ANNA, **asked: str) -> dict[str, Any]:
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        return await self.get(f"/v1/scores/{customer_id}?{query}")

    async def ask_for_run(self, **asked: Any) -> dict[str, Any]:
        """Ask for a run, with a key of its own."""
        response = await self.send("POST", "/v1/scoring/runs", asked, key=str(uuid4()))
        assert response.status_code == 202, response.text
        return dict(response.json())

    async def work(self) -> bool:
        """Do the next job to its end."""
        return await JobRunner(self.service.database, self.service.jobs).run_next()

    async def run(self, **asked: Any) -> dict[str, Any]:
        """A whole run, and what is said of it."""
        started = await self.ask_for_run(**asked)
        assert await self.work()
        return await self.get(f"/v1/scoring/runs/{started['run_id']}")

    async def begins_anew(self) -> None:
        """Forget everything."""
        async with self.service.database.transaction() as connection:
            names = await connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            tables = [name for name in names if name != "alembic_version" and not name.startswith("outbox_")]
            await connection.execute(text(f"TRUNCATE {', '.join(tables)}"))

    async def takes_the_last_run_up_again(self, *statements: str) -> None:
        """As after a crash between draft and publication; the statements say what else was lost."""
        again = (
            "UPDATE runs SET state = 'publishing', completed_at = NULL",
            "UPDATE jobs SET state = 'queued', ended_at = NULL",
        )
        async with self.service.database.transaction() as connection:
            for statement in (*again, *statements):
                await connection.execute(text(statement))

    async def told(self, *types: str) -> list[CloudEvent]:
        """What stands in the outbox, in its order; of these types when some are given."""
        async with self.service.database.transaction() as connection:
            rows = (await connection.execute(text("SELECT body FROM outbox ORDER BY id"))).all()
        events = [parse(bytes(body)) for (body,) in rows]
        return [event for event in events if not types or event.type in types]

    async def rows(self, query: str) -> Sequence[Any]:
        async with self.service.database.transaction() as connection:
            return (await connection.execute(text(query))).all()


def code_of(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem document."""
    assert response.headers["Content-Type"] == "application/problem+json", response.text
    return response.status_code, str(response.json()["code"])
