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

_ROLL_UP = text("SELECT roll_up(:customer_id, :purchase_id, CAST(:days AS date[]))")
"""A function that the migrations make: six statements in one round trip, and their plans are kept."""


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
        values = {"customer_id": customer_id, "purchase_id": purchase_id, "days": list(days)}
        await self._connection.execute(_ROLL_UP, values)
