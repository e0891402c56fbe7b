"""Purchases and returns as they become known. A unique key makes each of them count once; PostgreSQL tells before
and after of a row that was changed."""

from __future__ import annotations

from uuid import UUID

from regulars_kit.values import CustomerId
from regulars_scoring.adapters.db.session import Row, Session
from regulars_scoring.application.ports import Change
from regulars_scoring.domain.purchases import Purchase, Return, Sale

_RECORD = """
    INSERT INTO purchases AS mine (purchase_id, customer_id, day, currency, total_minor)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (purchase_id) DO UPDATE
        SET customer_id = coalesce(mine.customer_id, excluded.customer_id),
            day = excluded.day, currency = excluded.currency, total_minor = excluded.total_minor
        WHERE mine.total_minor IS NULL
    RETURNING *
"""
_CLAIM = """
    INSERT INTO purchases AS mine (purchase_id, customer_id) VALUES ($1, $2)
    ON CONFLICT (purchase_id) DO UPDATE SET customer_id = excluded.customer_id WHERE mine.customer_id IS NULL
    RETURNING *
"""
_KEEP_RETURN = """
    INSERT INTO returns (return_id, purchase_id, customer_id, day, currency, amount_minor, is_void)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING return_id
"""
_TAKE_BACK = """
    INSERT INTO purchases AS mine (purchase_id, returned_minor, is_returned, is_voided) VALUES ($1, $2, true, $3)
    ON CONFLICT (purchase_id) DO UPDATE
        SET returned_minor = mine.returned_minor + excluded.returned_minor, is_returned = true,
            is_voided = mine.is_voided OR excluded.is_voided
    RETURNING new.*, old.purchase_id IS NOT NULL AS was_known, old.returned_minor AS returned_before,
              old.is_returned AS is_returned_before, old.is_voided AS is_voided_before
"""


class SqlFacts:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def record(self, sale: Sale) -> Purchase | None:
        values = (sale.purchase_id, sale.customer_id, sale.day, sale.currency, sale.total_minor)
        row = await self._session.first(_RECORD, *values)
        return None if row is None else _purchase(row)

    async def claim(self, purchase_id: UUID, customer_id: CustomerId) -> Purchase | None:
        row = await self._session.first(_CLAIM, purchase_id, customer_id)
        return None if row is None else _purchase(row)

    async def take_back(self, given: Return) -> Change | None:
        if not await self._keep(given):
            return None
        row = await self._session.first(_TAKE_BACK, given.purchase_id, given.amount_minor, given.is_void)
        assert row is not None
        return Change(_purchase_before(row) if row["was_known"] else None, _purchase(row))

    async def keep_unmatched(self, given: Return) -> bool:
        return await self._keep(given)

    async def _keep(self, given: Return) -> bool:
        values = (given.return_id, given.purchase_id, given.customer_id, given.day, given.currency)
        kept = await self._session.first(_KEEP_RETURN, *values, given.amount_minor, given.is_void)
        return kept is not None


def _purchase(row: Row) -> Purchase:
    return Purchase(
        row["customer_id"],
        row["day"],
        row["currency"],
        row["total_minor"],
        row["returned_minor"],
        row["is_returned"],
        row["is_voided"],
    )


def _purchase_before(row: Row) -> Purchase:
    return Purchase(
        row["customer_id"],
        row["day"],
        row["currency"],
        row["total_minor"],
        row["returned_before"],
        row["is_returned_before"],
        row["is_voided_before"],
    )
