"""What lies in the window of RFM, of some customers at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from regulars_kit.values import CustomerId
from regulars_scoring.adapters.db.session import Session
from regulars_scoring.domain.rfm import Recent

_RECENT = """
    SELECT told.id, count(day) FILTER (WHERE open_purchases > 0) AS occasions,
           coalesce(sum(net_minor), 0)::bigint AS net_minor
    FROM unnest($1::uuid[], $2::date[]) AS told (id, until)
    LEFT JOIN days ON customer_id = told.id AND day > until - $3::integer AND day <= until
    GROUP BY told.id
"""


async def read_recent(
    session: Session, until: Mapping[CustomerId, date], window_days: int
) -> Mapping[CustomerId, Recent]:
    """Of each customer, the window that ends with their day."""
    rows = await session.fetch(_RECENT, list(until), list(until.values()), window_days)
    return {row["id"]: Recent(row["occasions"], row["net_minor"]) for row in rows}
