"""A loyalty database for the tests of its adapter: units on it, and purchases through the use cases."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import text

from builders import ANNA, a_document, a_purchase, an_id, local
from regulars_kit.bus import Message
from regulars_kit.db import Database
from regulars_kit.transactions import Transactions
from regulars_kit.values import Refused
from regulars_loyalty.adapters.db.programmes import ProgrammeCache
from regulars_loyalty.adapters.db.session import PLANNING
from regulars_loyalty.adapters.db.unit import PostgresUnit
from regulars_loyalty.application.adjust_points import adjust_points
from regulars_loyalty.application.commands import AdjustPoints, RedeemPoints, Request, ReturnPurchase, ReverseRedemption
from regulars_loyalty.application.publish_programme import publish_programme
from regulars_loyalty.application.purchase_rows import Answer, RecordPurchase, Shopper
from regulars_loyalty.application.record_purchases import record_purchases
from regulars_loyalty.application.redeem_points import redeem_points
from regulars_loyalty.application.return_purchase import return_purchase
from regulars_loyalty.application.reverse_redemption import reverse_redemption
from regulars_loyalty.domain.announcements import Announcement
from regulars_loyalty.domain.purchase import Purchase
from regulars_loyalty.domain.returning import LineWanted

NOW = local("2026-02-10 20:00")


def a_message(announcement: Announcement, recorded_at: datetime) -> Message:
    """Enough of an event to recognise it by."""
    kind = type(announcement).__name__
    customer_id = getattr(announcement, "customer_id", None)
    return Message(an_id(), kind, str(customer_id), recorded_at.isoformat().encode())


def content_hash(*content: object) -> bytes:
    return sha256(repr(content).encode()).digest()


class Rig:
    """One process of the service: a pool of its own, a cache of its own."""

    def __init__(self, url: str, now: datetime = NOW) -> None:
        self.database = Database(url, name="tests", pool_size=4, settings=PLANNING)
        self.now = now
        unit = partial(PostgresUnit, cache=ProgrammeCache(), to_message=a_message)
        self.begin = Transactions(self.database, unit)
        self.at_once = Transactions(self.database, unit, each_statement=True)

    def clock(self) -> datetime:
        return self.now

    async def publish(self, code: str = "club", **said: Any) -> None:
        await publish_programme(code, a_document(**said), self.begin, self.clock)

    async def look_at_programmes(self) -> None:
        async with self.begin() as unit:
            await unit.programmes()

    async def record(self, *commands: RecordPurchase) -> list[Answer | Refused]:
        return await record_purchases(commands, self.begin, self.clock)

    async def sell(self, total: int = 1999, **said: Any) -> Purchase:
        """Record Anna's purchase; raises its refusal."""
        purchase = a_purchase(total, **said)
        (answer,) = await self.record(a_command(purchase))
        if isinstance(answer, Refused):
            raise answer
        return purchase

    async def give_back(self, purchase: Purchase, when: str, *lines: LineWanted) -> dict[str, Any]:
        command = ReturnPurchase(purchase.purchase_id, an_id(), lines, a_request(when))
        return _body(await return_purchase(command, self.begin, self.clock))

    async def redeem(self, points: int, when: str, customer_id: UUID = ANNA) -> dict[str, Any]:
        command = RedeemPoints(Shopper(customer_id), None, None, points, a_request(when, key=str(an_id())))
        return _body(await redeem_points(command, self.begin, self.clock))

    async def reverse(self, redemption: Mapping[str, Any], points: int | None, when: str) -> None:
        request = a_request(when, key=str(an_id()))
        command = ReverseRedemption(UUID(redemption["redemption_id"]), points, request)
        await reverse_redemption(command, self.begin, self.clock)

    async def adjust(self, points: int, when: str, until: str | None = None) -> None:
        ends = local(until) if until else None
        request = a_request(when, key=str(an_id()))
        command = AdjustPoints(ANNA, None, None, points, "sorry", "olga", ends, request)
        await adjust_points(command, self.begin, self.clock)

    async def rows(self, query: str, values: Mapping[str, object] | None = None) -> Sequence[Any]:
        async with self.database.transaction() as connection:
            return (await connection.execute(text(query), values or {})).mappings().all()

    async def value(self, query: str, values: Mapping[str, object] | None = None) -> Any:
        async with self.database.transaction() as connection:
            return await connection.scalar(text(query), values or {})

    async def close(self) -> None:
        await self.database.close()


def a_request(when: str, *, key: str | None = None) -> Request:
    return Request("till-1", key, content_hash(when, key), local(when))


def a_command(purchase: Purchase, customer_id: UUID | None = ANNA, **said: Any) -> RecordPurchase:
    """Anna's purchase as the till sends it; nobody's with None."""
    given: dict[str, Any] = {
        "shopper": Shopper(customer_id) if customer_id else None,
        "programme": None,
        "client": "till-1",
        "idempotency_key": None,
        "content_hash": content_hash(purchase),
        "sale_hash": content_hash(purchase.currency, purchase.lines),
        "is_named": True,
        **said,
    }
    return RecordPurchase(purchase=purchase, **given)


def _body(answer: Answer) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.body)
    return body
