"""The shop's desk: every use case of the loyalty service, called as its doors call it, on whatever database."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from builders import ANNA, a_document, a_purchase, an_id, local
from regulars_kit.values import Refused
from regulars_loyalty.application.adjust_points import adjust_points
from regulars_loyalty.application.claim_purchase import claim_purchase
from regulars_loyalty.application.commands import (
    AdjustPoints,
    ClaimPurchase,
    RedeemPoints,
    Request,
    ReturnGoods,
    ReturnPurchase,
    ReverseRedemption,
    VoidPurchase,
)
from regulars_loyalty.application.expire_points import expire_points
from regulars_loyalty.application.ports import Begin
from regulars_loyalty.application.publish_programme import publish_programme
from regulars_loyalty.application.purchase_rows import Answer, RecordPurchase, Shopper
from regulars_loyalty.application.read_account import read_account
from regulars_loyalty.application.record_purchases import record_purchases
from regulars_loyalty.application.redeem_points import redeem_points
from regulars_loyalty.application.return_purchase import return_purchase
from regulars_loyalty.application.return_without_receipt import return_without_receipt
from regulars_loyalty.application.reverse_redemption import reverse_redemption
from regulars_loyalty.application.void_purchase import void_purchase
from regulars_loyalty.domain.purchase import Purchase, Receipt
from regulars_loyalty.domain.returning import GoodsReturned, LineWanted

NOW = local("2026-03-01 20:00")
AS_ANNA = Shopper(ANNA)


def hash_of(*content: object) -> bytes:
    return sha256(repr(content).encode()).digest()


@dataclass(slots=True)
class Desk:
    """Keys are new unless given; `when` is local time in Berlin, or an instant."""

    begin: Begin
    now: datetime = field(default=NOW)

    def clock(self) -> datetime:
        return self.now

    async def publish(self, **said: Any) -> None:
        await publish_programme("club", a_document(**said), self.begin, self.clock)

    async def record(self, *commands: RecordPurchase) -> list[Answer | Refused]:
        return await record_purchases(commands, self.begin, self.clock)

    async def sell(self, total: int = 1999, *, shopper: Shopper | None = AS_ANNA, **said: Any) -> Purchase:
        """Record a purchase; fails when it is refused."""
        purchase = a_purchase(total, **said)
        (answer,) = await self.record(self.command(purchase, shopper=shopper))
        assert isinstance(answer, Answer), answer
        return purchase

    def command(self, purchase: Purchase, **said: Any) -> RecordPurchase:
        """The purchase as Anna's till sends it."""
        given: dict[str, Any] = {
            "shopper": Shopper(ANNA),
            "programme": None,
            "client": "till-1",
            "idempotency_key": None,
            "content_hash": hash_of(purchase),
            "sale_hash": hash_of(purchase.currency, purchase.total_minor, purchase.lines),
            "is_named": True,
            **said,
        }
        return RecordPurchase(purchase=purchase, **given)

    def request(self, when: str | datetime | None, key: str | None, *content: object) -> Request:
        at = local(when) if isinstance(when, str) else when or self.now
        return Request("till-1", key, hash_of(at, *content), at)

    async def give_back(
        self, purchase_id: UUID, *lines: LineWanted, when: str | datetime | None = None, return_id: UUID | None = None
    ) -> dict[str, Any]:
        request = self.request(when, None, lines)
        command = ReturnPurchase(purchase_id, return_id or an_id(), lines, request)
        return body_of(await return_purchase(command, self.begin, self.clock))

    async def void(self, purchase_id: UUID, *, when: str | datetime | None = None) -> dict[str, Any]:
        command = VoidPurchase(purchase_id, self.request(when, None))
        return body_of(await void_purchase(command, self.begin, self.clock))

    async def give_back_goods(
        self, *goods: GoodsReturned, when: str | datetime | None = None, return_id: UUID | None = None
    ) -> dict[str, Any]:
        identity = return_id or an_id()
        receipt = Receipt("berlin-mitte", "till-1", NOW.date(), f"return {identity}")
        request = self.request(when, None, goods)
        command = ReturnGoods(identity, receipt, Shopper(ANNA), None, "EUR", goods, request)
        return body_of(await return_without_receipt(command, self.begin, self.clock))

    async def redeem(
        self, points: int, *, when: str | datetime | None = None, key: str | None = None
    ) -> dict[str, Any]:
        request = self.request(when, key or str(an_id()), points)
        return body_of(
            await redeem_points(RedeemPoints(Shopper(ANNA), None, None, points, request), self.begin, self.clock)
        )

    async def reverse(
        self,
        redemption_id: UUID,
        points: int | None = None,
        *,
        when: str | datetime | None = None,
        key: str | None = None,
    ) -> dict[str, Any]:
        request = self.request(when, key or str(an_id()), redemption_id, points)
        command = ReverseRedemption(redemption_id, points, request)
        return body_of(await reverse_redemption(command, self.begin, self.clock))

    async def adjust(
        self,
        points: int,
        *,
        when: str | datetime | None = None,
        key: str | None = None,
        expires_at: datetime | None = None,
    ) -> dict[str, Any]:
        request = self.request(when, key or str(an_id()), points)
        command = AdjustPoints(ANNA, None, None, points, "goodwill", "olga", expires_at, request)
        return body_of(await adjust_points(command, self.begin, self.clock))

    async def claim(self, purchase_id: UUID, customer_id: UUID = ANNA) -> dict[str, Any]:
        command = ClaimPurchase(purchase_id, Shopper(customer_id), self.request(None, None))
        return body_of(await claim_purchase(command, self.begin, self.clock))

    async def expire(self) -> int:
        return await expire_points(self.begin, self.clock)

    async def wallet(self, **asked: Any) -> dict[str, Any]:
        """Anna's only wallet as the API shows it."""
        view = await read_account(ANNA, None, None, asked.get("as_of"), asked.get("known_at"), self.begin, self.clock)
        wallets: Any = view["wallets"]
        (wallet,) = wallets
        return dict(wallet)


def body_of(answer: Answer) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.body)
    return body
