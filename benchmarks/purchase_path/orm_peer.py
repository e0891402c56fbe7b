"""What one would write first: FastAPI, Pydantic and a unit of work of SQLAlchemy's ORM, with the same rows as ours.

It is let off what ours does besides: no principal, no rules, no tiers, no idempotency key, no hash over the content.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar
from uuid import UUID

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import BigInteger, DateTime, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.ext.declarative import DeferredReflection
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from regulars_kit.values import new_id

engine = create_async_engine(os.environ["BENCHMARK_DATABASE_URL"], pool_size=20, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {int: BigInteger, datetime: DateTime(timezone=True)}


class Stored(DeferredReflection):
    """The columns are those of the loyalty service's own tables, read from the database at the start."""

    __abstract__ = True


class Account(Stored, Base):
    __tablename__ = "accounts"
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID]
    seq: Mapped[int]
    fact_no: Mapped[int]
    head: Mapped[bytes]
    spendable: Mapped[int]
    visits: Mapped[int]
    tier: Mapped[str | None]
    newest_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Purchase(Stored, Base):
    __tablename__ = "purchases"


class PurchaseLine(Stored, Base):
    __tablename__ = "purchase_lines"


class Lot(Stored, Base):
    __tablename__ = "lots"


class Posting(Stored, Base):
    __tablename__ = "postings"


class OutboxRow(Stored, Base):
    __tablename__ = "outbox"


class CustomerIn(BaseModel):
    id: UUID


class LineIn(BaseModel):
    line_id: str
    sku: str
    category: str | None
    quantity: int
    net_minor: int


class PurchaseIn(BaseModel):
    store: str
    till: str
    receipt_no: str
    business_date: date
    customer: CustomerIn
    currency: str
    lines: list[LineIn]


class LinePointsOut(BaseModel):
    line_id: str
    points: int


class PurchaseOut(BaseModel):
    purchase_id: UUID
    customer_id: UUID
    tier: str | None
    earned: int
    pending: int
    lines: list[LinePointsOut]
    balance: int
    duplicate_of: UUID | None


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.connect() as connection:
        await connection.run_sync(lambda bind: Stored.prepare(bind))
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {}


@app.post("/v1/purchases", status_code=201)
async def post_purchase(body: PurchaseIn) -> PurchaseOut:
    now = datetime.now(UTC)
    async with sessions() as session, session.begin():
        found = select(Account).where(Account.customer_id == body.customer.id).with_for_update()
        account = (await session.execute(found)).scalar_one()
        answer = _answer(body, account)
        _record(session, body, account, answer, now)
    return answer


def _answer(body: PurchaseIn, account: Account) -> PurchaseOut:
    """A point for each whole unit of a line, twice for shoes."""
    points = [line.net_minor * (2 if line.category == "shoes" else 1) // 100 for line in body.lines]
    return PurchaseOut(
        purchase_id=new_id(),
        customer_id=account.customer_id,
        tier=account.tier,
        earned=sum(points),
        pending=0,
        lines=[LinePointsOut(line_id=line.line_id, points=p) for line, p in zip(body.lines, points, strict=True)],
        balance=account.spendable + sum(points),
        duplicate_of=None,
    )


def _record(session: AsyncSession, body: PurchaseIn, account: Account, answer: PurchaseOut, now: datetime) -> None:
    account.seq += 1
    account.fact_no += 1
    account.visits += 1
    account.spendable = answer.balance
    account.head = sha256(account.head + answer.purchase_id.bytes).digest()
    account.newest_at = account.recorded_at = now
    session.add(_purchase(body, account, answer, now))
    session.add_all(_lines(body, answer))
    session.add(_lot(account, answer, now))
    session.add(_posting(account, answer, now))
    session.add(_outbox_row(body, account, answer, now))


def _purchase(body: PurchaseIn, account: Account, answer: PurchaseOut, now: datetime) -> Purchase:
    said = answer.model_dump_json()
    return Purchase(
        purchase_id=answer.purchase_id,
        account_id=account.account_id,
        customer_id=account.customer_id,
        fact_no=account.fact_no,
        programme="main",
        version=1,
        store=body.store,
        till=body.till,
        business_date=body.business_date,
        receipt_no=body.receipt_no,
        occurred_at=now,
        currency=body.currency,
        paid_in_points_minor=0,
        known_at=now,
        recorded_at=now,
        earned=answer.earned,
        paid=0,
        credit=answer.earned,
        tier=account.tier,
        visit=account.visits,
        expires_at=_end_of_lot(now),
        coupons=[],
        offers=[],
        client="bench",
        content_hash=sha256(said.encode()).digest(),
        answer=said,
        sale_hash=sha256(body.currency.encode()).digest(),
    )


def _lines(body: PurchaseIn, answer: PurchaseOut) -> list[PurchaseLine]:
    return [
        PurchaseLine(
            purchase_id=answer.purchase_id,
            line_no=place,
            line_id=line.line_id,
            sku=line.sku,
            category=line.category,
            quantity_milli=line.quantity * 1000,
            net_minor=line.net_minor,
            points=answer.lines[place].points,
        )
        for place, line in enumerate(body.lines)
    ]


def _lot(account: Account, answer: PurchaseOut, now: datetime) -> Lot:
    return Lot(
        lot_id=answer.purchase_id,
        account_id=account.account_id,
        origin=answer.purchase_id,
        issued=answer.earned,
        remaining=answer.earned,
        activated_at=now,
        expires_at=_end_of_lot(now),
    )


def _posting(account: Account, answer: PurchaseOut, now: datetime) -> Posting:
    return Posting(
        account_id=account.account_id,
        account_seq=account.seq,
        at=now,
        recorded_at=now,
        source="issued",
        target="spendable",
        points=answer.earned,
        lot_id=answer.purchase_id,
        fact_id=answer.purchase_id,
        cause="purchase",
        hash=account.head,
    )


def _outbox_row(body: PurchaseIn, account: Account, answer: PurchaseOut, now: datetime) -> OutboxRow:
    event_id = new_id()
    return OutboxRow(
        event_id=event_id,
        type="loyalty.purchase_recorded.v1",
        key=str(account.customer_id),
        body=json.dumps(_event(event_id, body, account, answer, now), separators=(",", ":")).encode(),
    )


def _event(event_id: UUID, body: PurchaseIn, account: Account, answer: PurchaseOut, now: datetime) -> dict[str, Any]:
    lines = [
        {**line.model_dump(), "discount_minor": 0, "cost_minor": None, "points": priced.points}
        for line, priced in zip(body.lines, answer.lines, strict=True)
    ]
    balance = {"spendable": account.spendable, "pending": 0, "held": 0, "debt": 0, "account_seq": account.seq}
    data = {**answer.model_dump(mode="json"), **body.model_dump(mode="json"), "lines": lines, "balance": balance}
    return {
        "specversion": "1.0",
        "id": str(event_id),
        "source": "/regulars/loyalty",
        "type": "loyalty.purchase_recorded.v1",
        "subject": str(account.customer_id),
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": {**data, "programme": "main", "wallet": "points", "occurred_at": now.isoformat(), "late": False},
    }


def _end_of_lot(at: datetime) -> datetime:
    return at + timedelta(days=365)
