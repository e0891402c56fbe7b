"""Tills under load: they sell, take goods back and pay points out, and ask again until they are answered.

What they were told is the truth that the books are held against. Nothing is asked twice under two names: a request
keeps its id or its key, however often the connection breaks.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from system.cluster import Cluster
from system.shop import Shop

PAUSE_S = 0.1
"""Before a till asks again."""

PROGRAMME: Mapping[str, Any] = {
    "effective_from": "2020-01-01",
    "time_zone": "Europe/Berlin",
    "stores": ["*"],
    "wallet": "points",
    "earn": {"EUR": "1"},
    "point_value": {"EUR": "0.01"},
}
"""A point a euro and nothing else, so that a test can price a receipt by itself."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a till knows of something that was acknowledged: whose points moved, and how many."""

    customer: UUID
    points: int


@dataclass(slots=True)
class Book:
    """Everything that was acknowledged, by the id under which it was asked or answered.

    `surprises` are answers that no till should get. `outage_s` is the longest time in which none was answered at all.
    """

    purchases: dict[UUID, Told] = field(default_factory=dict)
    returns: dict[UUID, Told] = field(default_factory=dict)
    redemptions: dict[UUID, Told] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)
    answers: int = 0
    asked_again: int = 0
    outage_s: float = 0.0
    _answered: asyncio.Event = field(default_factory=asyncio.Event)
    _answered_at: float = field(default_factory=time.monotonic)

    def note_an_answer(self) -> None:
        now = time.monotonic()
        self.outage_s = max(self.outage_s, now - self._answered_at)
        self._answered_at = now
        self.answers += 1
        self._answered.set()

    async def until_answered(self, times: int) -> None:
        """Return when so many more answers have come, at whatever till."""
        wanted = self.answers + times
        while self.answers < wanted:
            self._answered.clear()
            await self._answered.wait()

    def balance_of(self, customer: UUID) -> int:
        """Earned less taken back less redeemed, as the tills were told."""
        earned = sum(told.points for told in self.purchases.values() if told.customer == customer)
        gone = [*self.returns.values(), *self.redemptions.values()]
        return earned - sum(told.points for told in gone if told.customer == customer)


class Till:
    """One client. Its customers shop at the other tills too."""

    def __init__(
        self, name: str, shop: Shop | Cluster, customers: Sequence[UUID], book: Book, chance: random.Random
    ) -> None:
        self._name = name
        self._shop = shop
        self._customers = customers
        self._book = book
        self._chance = chance
        self._receipts = 0

    async def work(self, stop: asyncio.Event) -> None:
        """Until `stop`; what was begun is asked to its end."""
        async with self._shop.client() as client:
            while not stop.is_set():
                receipt = await self._sell(client)
                if self._chance.random() < 0.2:
                    await self._take_back(client, receipt)
                if self._chance.random() < 0.2:
                    await self._redeem(client)

    async def _sell(self, client: httpx.AsyncClient) -> Mapping[str, Any]:
        customer, purchase_id = self._chance.choice(self._customers), uuid4()
        receipt = self._a_receipt(customer)
        # An impatient till sends a second time before the first is answered.
        times = 2 if self._chance.random() < 0.1 else 1
        path = f"/v1/purchases/{purchase_id}"
        answers = await asyncio.gather(*[self._ask(client, "PUT", path, receipt) for _ in range(times)])
        assert {answer.status_code for answer in answers} == {201}, answers[0].text
        if len({answer.content for answer in answers}) != 1:
            self._book.surprises.append(f"{purchase_id} sent twice was told two things")
        earned = answers[0].json()["earned"]
        assert earned == sum(line["net_minor"] for line in receipt["lines"]) // 100
        self._book.purchases[purchase_id] = Told(customer, earned)
        return {"purchase_id": purchase_id, "customer": customer, "line_id": receipt["lines"][0]["line_id"]}

    async def _take_back(self, client: httpx.AsyncClient, receipt: Mapping[str, Any]) -> None:
        return_id = uuid4()
        body = {"return_id": str(return_id), "lines": [{"line_id": receipt["line_id"], "quantity": 1}]}
        answer = await self._ask(client, "POST", f"/v1/purchases/{receipt['purchase_id']}/returns", body)
        if answer.status_code == 201:
            self._book.returns[return_id] = Told(receipt["customer"], answer.json()["taken_back"])
        else:
            self._book.surprises.append(answer.text)

    async def _redeem(self, client: httpx.AsyncClient) -> None:
        customer, points = self._chance.choice(self._customers), self._chance.randint(1, 40)
        body = {"customer": {"id": str(customer)}, "points": points}
        answer = await self._ask(client, "POST", "/v1/redemptions", body, key=str(uuid4()))
        if answer.status_code == 201:
            self._book.redemptions[UUID(answer.json()["redemption_id"])] = Told(customer, points)
        elif answer.json()["code"] not in ("insufficient_points", "unknown_customer"):
            self._book.surprises.append(answer.text)

    async def _ask(
        self, client: httpx.AsyncClient, method: str, path: str, body: Mapping[str, Any], *, key: str | None = None
    ) -> httpx.Response:
        """Ask until there is an answer: the same again after a broken connection or a 503."""
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            try:
                answer = await client.request(method, path, json=body, headers=headers)
            except httpx.TransportError:
                pass
            else:
                if answer.status_code != 503:
                    assert answer.status_code < 500, answer.text
                    self._book.note_an_answer()
                    return answer
                assert int(answer.headers["retry-after"]) > 0
            self._book.asked_again += 1
            await asyncio.sleep(PAUSE_S)

    def _a_receipt(self, customer: UUID) -> dict[str, Any]:
        self._receipts += 1
        return {
            "store": "high-street",
            "till": self._name,
            "receipt_no": str(self._receipts),
            "business_date": "2026-03-14",
            "customer": {"id": str(customer)},
            "currency": "EUR",
            "lines": [
                {
                    "line_id": str(number),
                    "sku": f"sku-{self._chance.randint(1, 50)}",
                    "quantity": self._chance.randint(1, 3),
                    "net_minor": self._chance.randint(100, 5000),
                }
                for number in range(1, self._chance.randint(1, 3) + 1)
            ],
        }
