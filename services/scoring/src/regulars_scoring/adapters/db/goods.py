"""What receipts hold, and what came back of them: kept as it was told, and put together when it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import UUID

from regulars_scoring.adapters.db.session import Row, Session
from regulars_scoring.domain.goods import Goods, Receipt

# One document, since arrays of arrays would have to be of one length each.
_KEEP = """
    INSERT INTO goods (purchase_id, return_id, skus, net_minor, categories)
    SELECT * FROM json_to_recordset($1::json)
        AS told (purchase_id uuid, return_id uuid, skus text[], net_minor bigint[], categories text[])
    ORDER BY purchase_id, return_id
    ON CONFLICT DO NOTHING
"""

RECEIPTS = """
    SELECT purchases.purchase_id, customer_id, purchases.day,
           NOT (is_returned AND returned_minor >= total_minor) AS is_open,
           purchases.currency IS NOT DISTINCT FROM house.currency AS is_priced,
           sold.skus, sold.net_minor, sold.categories, back.skus AS back_skus, back.net_minor AS back_minor
    FROM purchases
    JOIN goods AS sold ON sold.purchase_id = purchases.purchase_id AND sold.return_id IS NULL
    LEFT JOIN house ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(line.sku) AS skus, array_agg(line.net_minor) AS net_minor
        FROM goods AS part, unnest(part.skus, part.net_minor) AS line (sku, net_minor)
        WHERE purchases.is_returned AND part.purchase_id = purchases.purchase_id AND part.return_id IS NOT NULL
    ) AS back ON true
    WHERE NOT is_voided
"""
"""Rows for `receipt_in`, to be narrowed by an AND."""


async def keep_goods(session: Session, told: Mapping[tuple[UUID, UUID | None], Goods]) -> None:
    if told:
        await session.execute(_KEEP, json.dumps([_document(*key, goods) for key, goods in told.items()]))


def _document(purchase_id: UUID, return_id: UUID | None, goods: Goods) -> dict[str, object]:
    return {
        "purchase_id": str(purchase_id),
        "return_id": None if return_id is None else str(return_id),
        "skus": goods.skus,
        "net_minor": goods.net_minor,
        "categories": goods.categories if any(goods.categories) else None,
    }


def receipt_in(row: Row) -> Receipt:
    sold = Goods(row["skus"], row["net_minor"], row["categories"] or (None,) * len(row["skus"]))
    back = Goods(row["back_skus"] or (), row["back_minor"] or ())
    return Receipt(row["day"], row["is_open"], row["is_priced"], sold, back)
