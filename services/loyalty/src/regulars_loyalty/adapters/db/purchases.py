"""Purchases read back: the first answers to them, and the purchases themselves with their lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from regulars_loyalty.adapters.db.arrays import array, cast
from regulars_loyalty.adapters.db.session import Row, Session
from regulars_loyalty.application.ports import FirstAnswer, FirstPurchase, PurchaseRow, StoredPurchase
from regulars_loyalty.domain.account import Bought
from regulars_loyalty.domain.pricing import Price, stored_price
from regulars_loyalty.domain.purchase import Line, Purchase, Receipt
from regulars_loyalty.domain.returning import LineLeft, cover

_FIRST = """purchase_id, client, idempotency_key, content_hash, answer, sale_hash, store, till, business_date,
    receipt_no"""
# Each key is looked up by its own unique index, whatever the planner thinks of the table's size.
_FIRSTS = f"""
    SELECT found.* FROM unnest($1::uuid[]) AS wanted (id)
    CROSS JOIN LATERAL (SELECT {_FIRST} FROM purchases WHERE purchase_id = wanted.id LIMIT 1) AS found
    UNION ALL
    SELECT found.* FROM unnest($2{cast("text")}, $3{cast("text")}) AS wanted (client, key)
    CROSS JOIN LATERAL (
        SELECT {_FIRST} FROM purchases WHERE client = wanted.client AND idempotency_key = wanted.key LIMIT 1
    ) AS found
    UNION ALL
    SELECT found.*
    FROM unnest($4{cast("text")}, $5{cast("text")}, $6{cast("date")}, $7{cast("text")})
        AS wanted (store, till, day, number)
    CROSS JOIN LATERAL (
        SELECT {_FIRST} FROM purchases
        WHERE store = wanted.store AND till = wanted.till AND business_date = wanted.day
            AND receipt_no = wanted.number
        LIMIT 1
    ) AS found
"""
_ONE = "SELECT * FROM purchases WHERE purchase_id = $1"
_LINES = "SELECT * FROM purchase_lines WHERE purchase_id = ANY ($1::uuid[]) ORDER BY purchase_id, line_no"
_SOME = "SELECT * FROM purchases WHERE purchase_id = ANY ($1::uuid[]) ORDER BY occurred_at DESC, fact_no DESC"
# Purchase by purchase, so that the limit ends it: most goods come back soon, and a customer's year may have thousands
# of lines.
_LEFT_BY_SKU = """
    SELECT purchase.purchase_id, line.sku, line.quantity_milli, line.returned
    FROM (
        SELECT purchase_id, occurred_at, fact_no FROM purchases
        WHERE account_id = $1 AND currency = $3 AND occurred_at < $4
        ORDER BY occurred_at DESC, fact_no DESC
    ) AS purchase CROSS JOIN LATERAL (
        SELECT line_no, sku, quantity_milli, returned FROM purchase_lines AS line
        WHERE line.purchase_id = purchase.purchase_id AND sku = ANY ($2::text[]) AND returned <> '1'
    ) AS line
    ORDER BY purchase.occurred_at DESC, purchase.fact_no DESC, line.line_no
    LIMIT $5
"""
_LINES_AT_FIRST = 4
"""Lines of each SKU that are looked at before all are."""

_UNCLAIMED = """
    SELECT purchase_id FROM purchases WHERE identifier_hash = ANY ($1::text[]) AND account_id IS NULL
    ORDER BY occurred_at, recorded_at, purchase_id
"""
_CLAIM = """
    UPDATE purchases SET account_id = $2, customer_id = $3, fact_no = $4, known_at = $5, earned = $6, paid = $7,
        credit = $8, tier = $9, visit = $10, expires_at = $11
    WHERE purchase_id = $1
"""
_CLAIM_LINES = """
    UPDATE purchase_lines AS line SET points = given.points
    FROM unnest($2::bigint[]) WITH ORDINALITY AS given (points, place)
    WHERE line.purchase_id = $1 AND line.line_no = given.place - 1
"""
_CLAIM_RETURNS = """
    UPDATE facts SET account_id = $1, fact_no = given.fact_no, known_at = $2
    FROM unnest($3::uuid[], $4::bigint[]) AS given (fact_id, fact_no) WHERE facts.fact_id = given.fact_id
"""


async def firsts(
    session: Session, purchase_ids: Sequence[UUID], keys: Sequence[tuple[str, str]], receipts: Sequence[Receipt]
) -> list[FirstPurchase]:
    rows = await session.fetch(
        _FIRSTS,
        purchase_ids,
        array("text", [client for client, _ in keys]),
        array("text", [key for _, key in keys]),
        array("text", [receipt.store for receipt in receipts]),
        array("text", [receipt.till for receipt in receipts]),
        array("date", [receipt.business_date for receipt in receipts]),
        array("text", [receipt.number for receipt in receipts]),
    )
    return list({row["purchase_id"]: _first(row) for row in rows}.values())


async def purchase(session: Session, purchase_id: UUID, *, for_update: bool) -> StoredPurchase | None:
    row = await session.first(f"{_ONE} FOR UPDATE" if for_update else _ONE, purchase_id)
    return (await _with_lines(session, [row]))[0] if row else None


async def purchases_covering(
    session: Session, account_id: UUID, wanted: Mapping[str, int], currency: str, before: datetime
) -> list[StoredPurchase]:
    purchase_ids: list[UUID] = []
    for limit in (_LINES_AT_FIRST * len(wanted), None):
        rows = await session.fetch(_LEFT_BY_SKU, account_id, list(wanted), currency, before, limit)
        purchase_ids, is_covered = cover(wanted, map(_left, rows))
        if is_covered or (limit and len(rows) < limit):
            break
    return await _with_lines(session, await session.fetch(_SOME, purchase_ids)) if purchase_ids else []


def _left(row: Row) -> LineLeft:
    quantity_milli = row["quantity_milli"] * (1 - Fraction(row["returned"]))
    return LineLeft(row["purchase_id"], row["sku"], quantity_milli)


async def unclaimed(session: Session, identifier_hashes: Sequence[str]) -> list[UUID]:
    return [row["purchase_id"] for row in await session.fetch(_UNCLAIMED, identifier_hashes)]


async def claim(
    session: Session,
    row: PurchaseRow,
    returns: Sequence[tuple[UUID, int]],
    account_id: UUID,
    known_at: datetime,
) -> None:
    """The first answer stays what it was: a retry of the purchase gets the same one."""
    price = (row.earned, row.paid, row.credit, row.tier, row.visit, row.expires_at)
    purchase_id = row.purchase.purchase_id
    await session.execute(_CLAIM, purchase_id, account_id, row.customer_id, row.fact_no, known_at, *price)
    await session.execute(_CLAIM_LINES, purchase_id, row.line_points)
    if returns:
        fact_ids, numbers = zip(*returns, strict=True)
        await session.execute(_CLAIM_RETURNS, account_id, known_at, fact_ids, numbers)


async def lines_of(session: Session, purchase_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """The rows of these purchases' lines, in order; empty lists for those without."""
    lines: dict[UUID, list[Row]] = {purchase_id: [] for purchase_id in purchase_ids}
    if purchase_ids:
        for row in await session.fetch(_LINES, purchase_ids):
            lines[row["purchase_id"]].append(row)
    return lines


async def _with_lines(session: Session, rows: Sequence[Row]) -> list[StoredPurchase]:
    lines = await lines_of(session, [row["purchase_id"] for row in rows])
    return [_stored(row, lines[row["purchase_id"]]) for row in rows]


def purchase_of(row: Row, lines: Sequence[Row]) -> Purchase:
    return Purchase(
        row["purchase_id"],
        _receipt(row),
        row["occurred_at"],
        row["currency"],
        tuple(_line(line) for line in lines),
        row["channel"],
        row["paid_in_points_minor"],
    )


def price_of(row: Row, lines: Sequence[Row], purchase: Purchase) -> Price:
    return stored_price(
        purchase,
        tuple(line["points"] for line in lines),
        earned=row["earned"],
        credit=row["credit"],
        paid=row["paid"],
        expires_at=row["expires_at"],
        tier=row["tier"],
        visit=row["visit"],
    )


def _stored(row: Row, lines: Sequence[Row]) -> StoredPurchase:
    bought = purchase_of(row, lines)
    price = price_of(row, lines, bought)
    nets = tuple(line.net_minor for line in bought.lines)
    returned = [Fraction(line["returned"]) for line in lines]
    return StoredPurchase(
        _purchase_row(row, bought, price), Bought(bought.purchase_id, bought.occurred_at, price, nets, returned)
    )


def _purchase_row(row: Row, bought: Purchase, price: Price) -> PurchaseRow:
    return PurchaseRow(
        purchase=bought,
        first=_first(row),
        programme=row["programme"],
        version=row["version"],
        account_id=row["account_id"],
        customer_id=row["customer_id"],
        identifier_hash=row["identifier_hash"],
        fact_no=row["fact_no"],
        known_at=row["known_at"],
        recorded_at=row["recorded_at"],
        earned=price.earned,
        paid=price.paid,
        credit=price.credit,
        tier=price.tier,
        visit=price.visit,
        expires_at=price.expires_at,
        line_points=price.line_points,
        coupons=tuple(row["coupons"]),
        offers=tuple(row["offers"]),
        captured_at=row["captured_at"],
        sequence_no=row["sequence_no"],
    )


def _first(row: Row) -> FirstPurchase:
    answer = FirstAnswer(row["purchase_id"], row["client"], row["idempotency_key"], row["content_hash"], row["answer"])
    return FirstPurchase(answer, _receipt(row), row["sale_hash"])


def _receipt(row: Row) -> Receipt:
    return Receipt(row["store"], row["till"], row["business_date"], row["receipt_no"])


def _line(row: Row) -> Line:
    return Line(
        row["line_id"],
        row["sku"],
        row["category"],
        row["quantity_milli"],
        row["net_minor"],
        row["discount_minor"],
        row["cost_minor"],
    )
