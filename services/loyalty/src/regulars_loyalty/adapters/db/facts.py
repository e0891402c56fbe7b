"""The facts of an account read back, and the first answers to those that are no purchases."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from regulars_loyalty.adapters.db.ledger import moves_of
from regulars_loyalty.adapters.db.purchases import lines_of, price_of, purchase_of
from regulars_loyalty.adapters.db.rows import fact_of
from regulars_loyalty.adapters.db.session import Row, Session
from regulars_loyalty.application.ports import FactRow, FirstAnswer, History
from regulars_loyalty.domain.facts import Fact, PurchaseMade, PurchaseReturned
from regulars_loyalty.domain.late import net
from regulars_loyalty.domain.programme import Late, Programmes
from regulars_loyalty.domain.purchase import Receipt

_FIRST: Final = "SELECT fact_id, client, idempotency_key, content_hash, answer FROM facts"
_FIRST_ANSWER = f"""
    {_FIRST} WHERE fact_id = $1
    UNION ALL {_FIRST} WHERE client = $2 AND idempotency_key = $3
    UNION ALL {_FIRST} WHERE store = $4 AND till = $5 AND business_date = $6 AND receipt_no = $7
    LIMIT 1
"""
_FACT = "SELECT * FROM facts WHERE fact_id = $1"
_UNCLAIMED_RETURNS = "SELECT * FROM facts WHERE purchase_id = $1 AND account_id IS NULL ORDER BY arrival"
_FACTS = """
    SELECT * FROM facts
    WHERE account_id = $1 AND at <= coalesce($2::timestamptz, 'infinity')
        AND known_at <= coalesce($3::timestamptz, 'infinity')
"""
_PURCHASES = """
    SELECT * FROM purchases
    WHERE account_id = $1 AND occurred_at <= coalesce($2::timestamptz, 'infinity')
        AND known_at <= coalesce($3::timestamptz, 'infinity')
"""


async def first_answer(
    session: Session, fact_id: UUID | None, client: str, key: str | None, receipt: Receipt | None
) -> FirstAnswer | None:
    """The id's answer goes before the key's, and that before the receipt's."""
    named = (receipt.store, receipt.till, receipt.business_date, receipt.number) if receipt else (None,) * 4
    row = await session.first(_FIRST_ANSWER, fact_id, client, key, *named)
    return _first(row) if row else None


async def fact(session: Session, fact_id: UUID) -> FactRow | None:
    row = await session.first(_FACT, fact_id)
    return _fact_row(row) if row else None


async def returns_of(session: Session, purchase_id: UUID) -> list[Fact]:
    return [_fact(row) for row in await session.fetch(_UNCLAIMED_RETURNS, purchase_id)]


async def history(
    session: Session,
    account_id: UUID,
    programmes: Programmes,
    seen: Collection[UUID],
    until: datetime | None,
    known_at: datetime | None,
) -> History:
    """The account's facts, and what all its postings sum up to.

    A purchase has its lines where something may ask for them: a return of it, a new price for it (re-rate), or the
    unit, which has `seen` it.
    """
    others = [(row, _fact(row)) for row in await session.fetch(_FACTS, account_id, until, known_at)]
    bought = await session.fetch(_PURCHASES, account_id, until, known_at)
    wanted = _returned(fact for _, fact in others) | set(seen)
    lines = await lines_of(
        session, [row["purchase_id"] for row in bought if row["purchase_id"] in wanted or _is_rerated(row, programmes)]
    )
    made = [(row, _purchase_made(row, lines.get(row["purchase_id"], ()))) for row in bought]
    in_order = sorted([*others, *made], key=lambda pair: (pair[1].at, pair[0]["fact_no"]))
    return History(tuple(fact for _, fact in in_order), net(await moves_of(session, account_id)))


def _returned(facts: Iterable[Fact]) -> set[UUID]:
    return {share.purchase_id for each in facts if isinstance(each, PurchaseReturned) for share in each.shares}


def _is_rerated(row: Row, programmes: Programmes) -> bool:
    return programmes.named(row["programme"]).numbered(row["version"]).late is Late.RE_RATE


def _purchase_made(row: Row, lines: Sequence[Row]) -> PurchaseMade:
    purchase = purchase_of(row, lines)
    return PurchaseMade(
        row["purchase_id"], row["occurred_at"], row["version"], purchase, price_of(row, lines, purchase)
    )


def _fact(row: Row) -> Fact:
    return fact_of(row["kind"], row["fact_id"], row["at"], row["redemption_id"], row["payload"])


def _fact_row(row: Row) -> FactRow:
    receipt = Receipt(row["store"], row["till"], row["business_date"], row["receipt_no"])
    return FactRow(
        _fact(row),
        row["account_id"],
        row["fact_no"],
        _first(row),
        row["recorded_at"],
        purchase_id=row["purchase_id"],
        receipt=receipt if row["receipt_no"] is not None else None,
        details=row["details"],
    )


def _first(row: Row) -> FirstAnswer:
    return FirstAnswer(row["fact_id"], row["client"], row["idempotency_key"], row["content_hash"], row["answer"])
