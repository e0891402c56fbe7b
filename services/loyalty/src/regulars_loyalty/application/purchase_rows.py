"""Purchases on their way to the database: the command, the row it becomes, and the answer kept with it."""

from __future__ import annotations

from datetime import datetime
from json import JSONEncoder
from uuid import UUID

from regulars_kit.values import value
from regulars_loyalty.application.accepting import balance_after
from regulars_loyalty.application.ports import FirstAnswer, FirstPurchase, Passbook, PurchaseRow
from regulars_loyalty.domain.announcements import PurchaseRecorded
from regulars_loyalty.domain.programme import Programme, Version
from regulars_loyalty.domain.purchase import Purchase

# The answer is written out rather than encoded: every purchase pays for it.
_quoted = JSONEncoder().encode


@value
class Shopper:
    """Who shopped: a customer's id, or the keyed hash of the card, phone or e-mail that was shown."""

    customer_id: UUID | None = None
    identifier_hash: str | None = None


@value
class RecordPurchase:
    """A till's purchase. `content_hash` is of the body as sent, `sale_hash` of its currency and lines (P8).

    `is_named` says that the client chose the purchase's id. `shopper` is None for an anonymous purchase.
    """

    purchase: Purchase
    shopper: Shopper | None
    programme: str | None
    client: str
    idempotency_key: str | None
    content_hash: bytes
    sale_hash: bytes
    is_named: bool
    coupons: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    captured_at: datetime | None = None
    sequence_no: int | None = None


@value
class Answer:
    """The JSON of an accepted write. `is_replayed`: it was given before, and nothing happened now."""

    body: str
    is_replayed: bool


def priced_row(
    now: datetime, command: RecordPurchase, programme: Programme, version: Version, passbook: Passbook
) -> PurchaseRow:
    """The row of a purchase that the passbook's account has just been given."""
    purchase, account = command.purchase, passbook.account
    price = account.bought[purchase.purchase_id].price
    customer_id = passbook.owner.customer_id
    answer = _answer(purchase, customer_id, price.tier, price.earned, price.line_points, account.balance)
    return PurchaseRow(
        purchase=purchase,
        first=_first(command, answer),
        programme=programme.code,
        version=version.number,
        account_id=account.account_id,
        customer_id=customer_id,
        identifier_hash=_identifier_hash(command),
        fact_no=passbook.fact_no,
        known_at=now,
        recorded_at=now,
        earned=price.earned,
        paid=price.paid,
        credit=price.credit,
        tier=price.tier,
        visit=price.visit,
        expires_at=price.expires_at,
        line_points=price.line_points,
        coupons=command.coupons,
        offers=command.offers,
        captured_at=command.captured_at,
        sequence_no=command.sequence_no,
    )


def unclaimed_row(now: datetime, command: RecordPurchase, version: Version) -> PurchaseRow:
    """The row of a purchase that is nobody's: it earns nothing until somebody claims it."""
    purchase = command.purchase
    no_points = (0,) * len(purchase.lines)
    return PurchaseRow(
        purchase=purchase,
        first=_first(command, _answer(purchase, None, None, 0, no_points, None)),
        programme=version.programme,
        version=version.number,
        account_id=None,
        customer_id=None,
        identifier_hash=_identifier_hash(command),
        fact_no=None,
        known_at=None,
        recorded_at=now,
        earned=0,
        paid=0,
        credit=0,
        tier=None,
        visit=0,
        expires_at=None,
        line_points=no_points,
        coupons=command.coupons,
        offers=command.offers,
        captured_at=command.captured_at,
        sequence_no=command.sequence_no,
    )


def _identifier_hash(command: RecordPurchase) -> str | None:
    return command.shopper.identifier_hash if command.shopper else None


def _first(command: RecordPurchase, answer: str) -> FirstPurchase:
    purchase = command.purchase
    first = FirstAnswer(purchase.purchase_id, command.client, command.idempotency_key, command.content_hash, answer)
    return FirstPurchase(first, purchase.receipt, command.sale_hash)


def _answer(
    purchase: Purchase,
    customer_id: UUID | None,
    tier: str | None,
    earned: int,
    line_points: tuple[int, ...],
    balance: int | None,
) -> str:
    lines = ",".join(
        [
            f'{{"line_id":{_quoted(line.line_id)},"points":{points}}}'
            for line, points in zip(purchase.lines, line_points, strict=True)
        ]
    )
    return (
        f'{{"purchase_id":"{purchase.purchase_id}","customer_id":{_quoted_or_null(customer_id)},'
        f'"tier":{_quoted_or_null(tier)},"earned":{earned},"pending":0,"lines":[{lines}],'
        f'"balance":{"null" if balance is None else balance},"duplicate_of":null}}'
    )


def _quoted_or_null(value: str | UUID | None) -> str:
    return "null" if value is None else _quoted(str(value))


def announcement_of(row: PurchaseRow, wallet: str, passbook: Passbook | None, *, is_late: bool) -> PurchaseRecorded:
    """What the others hear of the purchase; `passbook` is None when it is nobody's."""
    return PurchaseRecorded(
        purchase=row.purchase,
        customer_id=row.customer_id,
        programme=row.programme,
        wallet=wallet,
        earned=row.earned,
        paid=row.paid,
        line_points=row.line_points,
        tier=row.tier,
        coupons=row.coupons,
        offers=row.offers,
        balance=balance_after(passbook) if passbook else None,
        is_late=is_late,
    )
