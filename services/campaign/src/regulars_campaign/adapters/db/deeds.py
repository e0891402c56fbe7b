"""Purchases and returns as they were told, and the roll-ups reckoned from them.

A day of a customer is always reckoned as a whole, from what is stored: so it comes out the same in whatever order, and
however often, its events arrive. Rules ask the roll-ups alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from regulars_campaign.adapters.db.session import Session
from regulars_campaign.domain.gathering import SpokenOf
from regulars_campaign.domain.heard import Return
from regulars_kit.values import CustomerId

# Without a receipt only whose it is, and whether it is void, is said.
_KEEP_PURCHASES = """
    INSERT INTO purchases AS known (id, customer_id, is_void, day, occurred_at, store, channel, currency, total_minor,
                                    parts, categories)
    SELECT id, customer_id, is_void, day, at, store, channel, currency, total_minor, parts::jsonb, categories::jsonb
    FROM unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::date[], $5::timestamptz[], $6::text[], $7::text[],
                $8::text[], $9::bigint[], $10::text[], $11::text[])
         AS told (id, customer_id, is_void, day, at, store, channel, currency, total_minor, parts, categories)
    ON CONFLICT (id) DO UPDATE SET
        customer_id = coalesce(known.customer_id, excluded.customer_id), is_void = known.is_void OR excluded.is_void,
        day = coalesce(excluded.day, known.day), occurred_at = coalesce(excluded.occurred_at, known.occurred_at),
        store = coalesce(excluded.store, known.store), channel = coalesce(excluded.channel, known.channel),
        currency = coalesce(excluded.currency, known.currency),
        total_minor = coalesce(excluded.total_minor, known.total_minor),
        parts = CASE WHEN excluded.day IS NULL THEN known.parts ELSE excluded.parts END,
        categories = CASE WHEN excluded.day IS NULL THEN known.categories ELSE excluded.categories END
    RETURNING customer_id
"""
_KEEP_RETURNS = """
    INSERT INTO returns (id, purchase_id, customer_id, day, occurred_at, store, currency, total_minor, lines)
    SELECT id, purchase_id, customer_id, day, at, store, currency, total_minor, lines::jsonb
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::date[], $5::timestamptz[], $6::text[], $7::text[],
                $8::bigint[], $9::text[])
         AS told (id, purchase_id, customer_id, day, at, store, currency, total_minor, lines)
    ORDER BY id, purchase_id
    ON CONFLICT DO NOTHING
"""

_ROLL_UP = "SELECT roll_up($1::uuid[], $2::uuid[], $3::date[], $4::uuid[])"
"""A function that the migrations make: six statements in one round trip, and their plans are kept."""


class SqlDeeds:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def keep_purchases(self, spoken_of: Sequence[SpokenOf]) -> Collection[CustomerId]:
        if not spoken_of:
            return ()
        columns = zip(*(_row(purchase) for purchase in spoken_of), strict=True)
        kept = await self._session.fetch(_KEEP_PURCHASES, *map(list, columns))
        return {CustomerId(row["customer_id"]) for row in kept if row["customer_id"] is not None}

    async def keep_returns(self, returns: Sequence[Return]) -> None:
        if returns:
            columns = zip(*(_return_row(said) for said in returns), strict=True)
            await self._session.execute(_KEEP_RETURNS, *map(list, columns))

    async def roll_up(
        self, customers: Sequence[CustomerId], returns: Sequence[Return], purchases: Sequence[UUID]
    ) -> None:
        named = [said for said in returns if said.customer_id is not None]
        if named or purchases:
            by, on = [said.customer_id for said in named], [said.day for said in named]
            await self._session.execute(_ROLL_UP, customers, by, on, purchases)


def _row(purchase: SpokenOf) -> tuple[object, ...]:
    told, receipt = (purchase.id, purchase.customer_id, purchase.is_void), purchase.receipt
    if receipt is None:
        return (*told, *(None for _ in range(6)), "{}", "{}")
    place = (receipt.day, receipt.at, receipt.store, receipt.channel, receipt.currency, receipt.total_minor)
    return (*told, *place, _json(receipt.parts), _json(receipt.categories))


def _return_row(said: Return) -> tuple[object, ...]:
    whose = (said.id, said.purchase_id, said.customer_id)
    return (*whose, said.day, said.at, said.store, said.currency, said.total_minor, _json(said.lines))


def _json(values: Mapping[str, object]) -> str:
    return json.dumps(dict(values))
