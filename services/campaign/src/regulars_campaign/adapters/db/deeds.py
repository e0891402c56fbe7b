"""Purchases and returns as they were told, and the roll-ups reckoned from them.

A day of a customer is always reckoned as a whole, from what is stored: so it comes out the same in whatever order, and
however often, its events arrive. Rules ask the roll-ups alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_campaign.domain.heard import Purchase, Return
from regulars_kit.values import CustomerId

_ADD_PURCHASE = text(
    """
    INSERT INTO purchases AS known (id, customer_id, day, occurred_at, store, channel, currency, total_minor, parts,
                                    categories)
    VALUES (:id, :customer_id, :day, :at, :store, :channel, :currency, :total_minor, CAST(:parts AS jsonb),
            CAST(:categories AS jsonb))
    ON CONFLICT (id) DO UPDATE SET
        customer_id = coalesce(known.customer_id, excluded.customer_id), day = excluded.day,
        occurred_at = excluded.occurred_at, store = excluded.store, channel = excluded.channel,
        currency = excluded.currency, total_minor = excluded.total_minor, parts = excluded.parts,
        categories = excluded.categories
    RETURNING customer_id
    """
)
_TOUCH_PURCHASE = text(
    """
    INSERT INTO purchases AS known (id, customer_id, is_void) VALUES (:id, :customer_id, :is_void)
    ON CONFLICT (id) DO UPDATE SET
        customer_id = coalesce(known.customer_id, excluded.customer_id), is_void = known.is_void OR excluded.is_void
    RETURNING customer_id
    """
)
_ADD_RETURN = text(
    """
    INSERT INTO returns (id, purchase_id, customer_id, day, occurred_at, store, currency, total_minor, lines)
    VALUES (:id, :purchase_id, :customer_id, :day, :at, :store, :currency, :total_minor, CAST(:lines AS jsonb))
    ON CONFLICT DO NOTHING
    """
)

_DAYS = text(
    """
    SELECT day FROM purchases WHERE id = :purchase_id AND day IS NOT NULL
    UNION SELECT day FROM returns WHERE purchase_id = :purchase_id
    """
)
# What came back of a purchase is its customer's, even where the return named nobody.
_OWN_RETURNS = """
    SELECT r.id, r.day, r.store, r.currency, r.total_minor, r.lines, p.categories
    FROM returns r LEFT JOIN purchases p ON p.id = r.purchase_id
    WHERE r.day = ANY(CAST(:days AS date[])) AND r.customer_id = :customer_id
    UNION ALL
    SELECT r.id, r.day, r.store, r.currency, r.total_minor, r.lines, p.categories
    FROM purchases p JOIN returns r ON r.purchase_id = p.id
    WHERE p.customer_id = :customer_id AND r.day = ANY(CAST(:days AS date[])) AND r.customer_id IS NULL
"""
_FORGET_DAYS = text("DELETE FROM rollups WHERE customer_id = :customer_id AND day = ANY(CAST(:days AS date[]))")
_ROLL_UP_PURCHASES = text(
    """
    INSERT INTO rollups (customer_id, deed, day, category, store, channel, currency, times, net_minor, least_minor,
                         most_minor)
    SELECT :customer_id, 'purchases', day, category, store, channel, currency, count(*), sum(net), min(net), max(net)
    FROM (
        SELECT p.day, part.category, p.store, p.channel, p.currency, part.net
        FROM purchases p CROSS JOIN LATERAL (
            SELECT NULL AS category, p.total_minor AS net
            UNION ALL SELECT key, value::bigint FROM jsonb_each_text(p.parts)
        ) part
        WHERE p.customer_id = :customer_id AND p.day = ANY(CAST(:days AS date[])) AND NOT p.is_void
    ) deed
    GROUP BY day, category, store, channel, currency
    """
)
_ROLL_UP_RETURNS = text(
    f"""
    INSERT INTO rollups (customer_id, deed, day, category, store, channel, currency, times, net_minor, least_minor,
                         most_minor)
    SELECT :customer_id, 'returns', day, category, store, NULL, currency, count(*), sum(net), min(net), max(net)
    FROM (
        SELECT r.id, r.day, part.category, r.store, r.currency, sum(part.net) AS net
        FROM ({_OWN_RETURNS}) r CROSS JOIN LATERAL (
            SELECT NULL AS category, r.total_minor AS net
            UNION ALL
            SELECT r.categories ->> line.key, line.value::bigint FROM jsonb_each_text(r.lines) line
            WHERE r.categories ->> line.key IS NOT NULL
        ) part
        GROUP BY r.id, r.day, part.category, r.store, r.currency
    ) deed
    GROUP BY day, category, store, currency
    """
)
_FORGET_TOTALS = text("DELETE FROM totals WHERE customer_id = :customer_id")
_TOTAL = text(
    """
    INSERT INTO totals (customer_id, deed, currency, times, net_minor, least_minor, most_minor, first_day, last_day)
    SELECT customer_id, deed, currency, sum(times), sum(net_minor), min(least_minor), max(most_minor), min(day),
        max(day)
    FROM rollups WHERE customer_id = :customer_id AND category IS NULL GROUP BY customer_id, deed, currency
    """
)


class SqlDeeds:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_purchase(self, purchase: Purchase, day: date) -> CustomerId | None:
        row = {
            "id": purchase.id,
            "customer_id": purchase.customer_id,
            "day": day,
            "at": purchase.at,
            "store": purchase.store,
            "channel": purchase.channel,
            "currency": purchase.currency,
            "total_minor": purchase.total_minor,
            "parts": json.dumps(dict(purchase.parts)),
            "categories": json.dumps(dict(purchase.categories)),
        }
        owner: CustomerId | None = await self._connection.scalar(_ADD_PURCHASE, row)
        return owner

    async def touch_purchase(self, purchase_id: UUID, owner: CustomerId | None, *, is_void: bool) -> CustomerId | None:
        row = {"id": purchase_id, "customer_id": owner, "is_void": is_void}
        known: CustomerId | None = await self._connection.scalar(_TOUCH_PURCHASE, row)
        return known

    async def add_return(self, said: Return, day: date) -> None:
        if said.is_void:
            return  # a receipt that was cancelled: nobody brought anything back
        row = {
            "id": said.id,
            "purchase_id": said.purchase_id,
            "customer_id": said.customer_id,
            "day": day,
            "at": said.at,
            "store": said.store,
            "currency": said.currency,
            "total_minor": said.total_minor,
            "lines": json.dumps(dict(said.lines)),
        }
        await self._connection.execute(_ADD_RETURN, row)

    async def roll_up(self, customer_id: CustomerId, purchase_id: UUID | None, days: Collection[date]) -> None:
        wanted = set(days)
        if purchase_id is not None:
            wanted |= set(await self._connection.scalars(_DAYS, {"purchase_id": purchase_id}))
        values = {"customer_id": customer_id, "days": sorted(wanted)}
        for statement in (_FORGET_DAYS, _ROLL_UP_PURCHASES, _ROLL_UP_RETURNS):
            await self._connection.execute(statement, values)
        for statement in (_FORGET_TOTALS, _TOTAL):
            await self._connection.execute(statement, {"customer_id": customer_id})
