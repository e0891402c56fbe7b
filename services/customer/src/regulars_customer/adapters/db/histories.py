"""Customers' purchases in short, out of the rows of their sales: the same whatever the order in which they came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_customer.domain.life_cycle import History
from regulars_kit.values import CustomerId

# A sale counts once it was told itself: what only its return or its claim told of has no day and no amount yet.
_HISTORIES = text(
    """
    SELECT customer_id, currency, count(*) FILTER (WHERE counts) AS purchases,
           min(occurred_at) FILTER (WHERE counts) AS first_at,
           (array_agg(occurred_at ORDER BY occurred_at DESC) FILTER (WHERE counts))[1:2] AS last_two,
           CAST(coalesce(sum(coalesce(net_minor, 0) - returned_minor) FILTER (WHERE NOT is_voided), 0) AS bigint) AS net
    FROM (SELECT *, net_minor IS NOT NULL AND NOT is_voided AS counts FROM sales
          WHERE customer_id = ANY(:customers)) AS theirs
    GROUP BY customer_id, currency
    """
)


async def histories(connection: AsyncConnection, ids: Sequence[CustomerId]) -> dict[CustomerId, History]:
    """The history of each of the customers who have sales."""
    found: dict[CustomerId, list[RowMapping]] = {}
    for row in (await connection.execute(_HISTORIES, {"customers": list(ids)})).mappings():
        found.setdefault(row["customer_id"], []).append(row)
    return {customer: _history(rows) for customer, rows in found.items()}


def _history(rows: Sequence[RowMapping]) -> History:
    last: list[datetime] = sorted((at for row in rows for at in row["last_two"] or ()), reverse=True)
    firsts = [row["first_at"] for row in rows if row["first_at"] is not None]
    return History(
        purchases=sum(row["purchases"] for row in rows),
        first_at=min(firsts, default=None),
        previous_at=last[1] if len(last) > 1 else None,
        last_at=last[0] if last else None,
        net_minor={row["currency"]: row["net"] for row in rows if row["currency"] is not None},
    )
