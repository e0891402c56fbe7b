"""The two ways into the service that the state machine takes: the use cases in memory, and HTTP on PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID, uuid4

import httpx

from builders import ANNA, a_document
from loyalty.at_the_till import AS_ANNA, Clock
from loyalty.desk import Desk
from loyalty.memory import MemoryDatabase
from loyalty.shop import Shop, a_verifier, settings_for
from regulars.postgres import PostgresServer
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.http import encode_cursor
from regulars_kit.values import Refused
from regulars_loyalty.application.expire_points import expire_points
from regulars_loyalty.application.read_ledger import read_ledger
from regulars_loyalty.application.read_lots import read_lots
from regulars_loyalty.application.read_totals import read_totals
from regulars_loyalty.bootstrap import build
from regulars_loyalty.domain.purchase import Purchase
from regulars_loyalty.domain.returning import LineWanted

Json = dict[str, Any]
_Answer = TypeVar("_Answer")

TOO_MANY = 100_000


@dataclass(frozen=True, slots=True)
class Reply:
    """`code` is that of the refusal, None when it was accepted."""

    body: Json = field(default_factory=dict)
    code: str | None = None


class Driver(Protocol):
    """A shop with one customer, Anna. Instants are aware; keys are the client's."""

    now: datetime

    def publish(self, **said: Any) -> None: ...
    def sell(self, purchase: Purchase) -> Reply: ...
    def give_back(self, purchase_id: UUID, return_id: UUID, lines: tuple[LineWanted, ...], at: datetime) -> Reply: ...
    def void(self, purchase_id: UUID, at: datetime) -> Reply: ...
    def redeem(self, points: int, at: datetime, key: str) -> Reply: ...
    def reverse(self, redemption_id: UUID, points: int, at: datetime, key: str) -> Reply: ...
    def adjust(self, points: int, at: datetime, expires_at: datetime | None, key: str) -> Reply: ...
    def expire(self) -> None: ...
    def wallet(self) -> Json: ...
    def lots(self) -> list[Json]: ...
    def entries(self, after_seq: int) -> list[Json]: ...
    def totals(self) -> Json: ...
    def close(self) -> None: ...


def at_once(work: Coroutine[Any, Any, _Answer]) -> _Answer:
    """Run what never waits, without an event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        answer: _Answer = done.value
        return answer
    raise AssertionError("it waited for something")


class InMemory:
    """The use cases on the database in memory."""

    def __init__(self) -> None:
        self.database = MemoryDatabase()
        self.desk = Desk(self.database.begin)

    @property
    def now(self) -> datetime:
        return self.desk.now

    @now.setter
    def now(self, at: datetime) -> None:
        self.desk.now = at

    def publish(self, **said: Any) -> None:
        at_once(self.desk.publish(**said))

    def sell(self, purchase: Purchase) -> Reply:
        (answer,) = at_once(self.desk.record(self.desk.command(purchase)))
        return Reply(code=answer.code) if isinstance(answer, Refused) else Reply(json.loads(answer.body))

    def give_back(self, purchase_id: UUID, return_id: UUID, lines: tuple[LineWanted, ...], at: datetime) -> Reply:
        return _reply(self.desk.give_back(purchase_id, *lines, when=at, return_id=return_id))

    def void(self, purchase_id: UUID, at: datetime) -> Reply:
        return _reply(self.desk.void(purchase_id, when=at))

    def redeem(self, points: int, at: datetime, key: str) -> Reply:
        return _reply(self.desk.redeem(points, when=at, key=key))

    def reverse(self, redemption_id: UUID, points: int, at: datetime, key: str) -> Reply:
        return _reply(self.desk.reverse(redemption_id, points, when=at, key=key))

    def adjust(self, points: int, at: datetime, expires_at: datetime | None, key: str) -> Reply:
        return _reply(self.desk.adjust(points, when=at, expires_at=expires_at, key=key))

    def expire(self) -> None:
        at_once(self.desk.expire())

    def wallet(self) -> Json:
        return at_once(self.desk.wallet())

    def lots(self) -> list[Json]:
        return [dict(lot) for lot in at_once(read_lots(ANNA, None, None, self.desk.begin, self.desk.clock))]

    def entries(self, after_seq: int) -> list[Json]:
        return [dict(each) for each in at_once(read_ledger(ANNA, None, None, after_seq, TOO_MANY, self.desk.begin))]

    def totals(self) -> Json:
        return dict(at_once(read_totals(None, self.desk.begin)))

    def close(self) -> None:
        """Nothing is open."""


def _reply(work: Coroutine[Any, Any, Mapping[str, Any]]) -> Reply:
    try:
        return Reply(dict(at_once(work)))
    except Refused as refusal:
        return Reply(code=refusal.code)


class OverHttp:
    """The whole service on a database of its own; requests go through its app as they would through its port."""

    def __init__(self, postgres: PostgresServer, template: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._postgres, self._name = postgres, f"machine_{uuid4().hex}"
        self.clock = Clock()
        url = self._run(postgres.create_database(self._name, template=template))
        self.service = build(settings_for(url), MemoryBus(), a_verifier(), self.clock)
        transport = httpx.ASGITransport(app=self.service.app)
        self.shop = Shop(self.service, httpx.AsyncClient(transport=transport, base_url="http://loyalty"))

    def _run(self, work: Coroutine[Any, Any, _Answer]) -> _Answer:
        return self._loop.run_until_complete(work)

    @property
    def now(self) -> datetime:
        return self.clock.now

    @now.setter
    def now(self, at: datetime) -> None:
        self.clock.now = at

    def publish(self, **said: Any) -> None:
        assert self._send("PUT", "/v1/programmes/club", a_document(**said)).code is None

    def sell(self, purchase: Purchase) -> Reply:
        return self._send("PUT", f"/v1/purchases/{purchase.purchase_id}", _sale_of(purchase))

    def give_back(self, purchase_id: UUID, return_id: UUID, lines: tuple[LineWanted, ...], at: datetime) -> Reply:
        body = {"return_id": str(return_id), "occurred_at": at.isoformat(), "lines": [_wanted(line) for line in lines]}
        return self._send("POST", f"/v1/purchases/{purchase_id}/returns", body)

    def void(self, purchase_id: UUID, at: datetime) -> Reply:
        return self._send("POST", f"/v1/purchases/{purchase_id}/void", {"occurred_at": at.isoformat()})

    def redeem(self, points: int, at: datetime, key: str) -> Reply:
        body = {"customer": AS_ANNA, "points": points, "occurred_at": at.isoformat()}
        return self._send("POST", "/v1/redemptions", body, key)

    def reverse(self, redemption_id: UUID, points: int, at: datetime, key: str) -> Reply:
        body = {"points": points, "occurred_at": at.isoformat()}
        return self._send("POST", f"/v1/redemptions/{redemption_id}/reverse", body, key)

    def adjust(self, points: int, at: datetime, expires_at: datetime | None, key: str) -> Reply:
        body: Json = {"points": points, "reason": "goodwill", "occurred_at": at.isoformat()}
        if expires_at is not None:
            body["expires_at"] = expires_at.isoformat()
        return self._send("POST", f"/v1/accounts/{ANNA}/adjustments", body, key)

    def expire(self) -> None:
        begin = self.service.app.state.loyalty.begin
        self._run(expire_points(begin, self.clock))

    def wallet(self) -> Json:
        return dict(self._send("GET", f"/v1/accounts/{ANNA}").body["wallets"][0])

    def lots(self) -> list[Json]:
        return list(self._send("GET", f"/v1/accounts/{ANNA}/lots").body["items"])

    def entries(self, after_seq: int) -> list[Json]:
        """Page by page, as a client reads them who remembers how far it came."""
        found: list[Json] = []
        cursor: str | None = encode_cursor(after_seq)
        while cursor is not None:
            page = self._send("GET", f"/v1/accounts/{ANNA}/ledger?cursor={cursor}").body
            found += page["items"]
            cursor = page["next_cursor"]
        return found

    def totals(self) -> Json:
        return self._send("GET", "/v1/ledger/totals").body

    def close(self) -> None:
        self._run(self.shop.client.aclose())
        self._run(self.service.database.close())
        self._run(self._postgres.drop_database(self._name))

    def _send(self, method: str, path: str, body: Json | None = None, key: str | None = None) -> Reply:
        response = self._run(self.shop.send(method, path, body, key=key))
        assert response.status_code < 500, response.text
        answer = dict(response.json())
        return Reply(answer) if response.status_code < 300 else Reply(answer, str(answer["code"]))


def _sale_of(purchase: Purchase) -> Json:
    receipt, in_points = purchase.receipt, purchase.paid_in_points_minor
    sale: Json = {
        "store": receipt.store,
        "till": receipt.till,
        "receipt_no": receipt.number,
        "business_date": receipt.business_date.isoformat(),
        "occurred_at": purchase.occurred_at.isoformat(),
        "customer": AS_ANNA,
        "currency": purchase.currency,
        "lines": [
            {
                "line_id": each.line_id,
                "sku": each.sku,
                "quantity": _pieces(each.quantity_milli),
                "net_minor": each.net_minor,
            }
            for each in purchase.lines
        ],
    }
    if in_points:
        rest = {"type": "card", "amount_minor": purchase.total_minor - in_points}
        sale["tenders"] = [{"type": "points", "amount_minor": in_points}, rest]
    return sale


def _pieces(quantity_milli: int) -> int:
    return quantity_milli // 1000


def _wanted(line: LineWanted) -> Json:
    wanted: Json = {"line_id": line.line_id}
    if line.quantity_milli is not None:
        wanted["quantity"] = _pieces(line.quantity_milli)
    if line.net_minor is not None:
        wanted["net_minor"] = line.net_minor
    return wanted
