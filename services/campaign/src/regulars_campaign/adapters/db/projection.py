"""What is known of customers. Each part remembers when it was so: what is older changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import attrgetter
from typing import TypeVar

from regulars_campaign.adapters.db.session import Session
from regulars_campaign.domain.heard import Balance, Consent, Score, Stage, Tier, Traits
from regulars_campaign.domain.messages import Known
from regulars_kit.values import CustomerId

Told = TypeVar("Told")

EVENTS_LOCK = 7_410
"""Advisory lock: shared by those who have a customer in hand, alone for a new segment."""

_TAKE = "SELECT take_customers($1::uuid[]) AS id"
"""A function that the migrations make; it takes `EVENTS_LOCK`."""

_TRAITS = """
    UPDATE customers SET traits = told.traits::jsonb, traits_at = told.at
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS told (id, traits, at)
    WHERE customers.id = told.id AND (traits_at IS NULL OR traits_at <= told.at)
"""
_STAGES = """
    UPDATE customers SET stage = told.stage, stage_at = told.at
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS told (id, stage, at)
    WHERE customers.id = told.id AND (stage_at IS NULL OR stage_at <= told.at)
"""
_CONSENTS = """
    INSERT INTO consents AS known (customer_id, purpose, channel, is_granted, decided_at)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::timestamptz[])
    ON CONFLICT (customer_id, purpose, channel) DO UPDATE
    SET is_granted = excluded.is_granted, decided_at = excluded.decided_at
    WHERE known.decided_at <= excluded.decided_at
"""
_TIERS = """
    INSERT INTO accounts AS known (customer_id, programme, tier, tier_at)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
    ON CONFLICT (customer_id, programme) DO UPDATE SET tier = excluded.tier, tier_at = excluded.tier_at
    WHERE known.tier_at IS NULL OR known.tier_at <= excluded.tier_at
"""
_BALANCES = """
    INSERT INTO accounts AS known (customer_id, programme, points, account_seq)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
    ON CONFLICT (customer_id, programme) DO UPDATE SET points = excluded.points, account_seq = excluded.account_seq
    WHERE known.account_seq IS NULL OR known.account_seq <= excluded.account_seq
"""
_SCORE_COLUMNS = {
    "scored_at": "timestamptz", "recency": "smallint", "frequency": "smallint", "monetary": "smallint",
    "rfm_segment": "text", "decile": "smallint", "churn_band": "text", "churn_90": "numeric", "p_alive": "numeric",
    "clv": "bigint", "currency": "text",
}  # fmt: skip
_SCORES = f"""
    INSERT INTO scores AS known (customer_id, {", ".join(_SCORE_COLUMNS)})
    SELECT * FROM unnest($1::uuid[], {", ".join(f"${n}::{of}[]" for n, of in enumerate(_SCORE_COLUMNS.values(), 2))})
    ON CONFLICT (customer_id) DO UPDATE SET {", ".join(f"{column} = excluded.{column}" for column in _SCORE_COLUMNS)}
    WHERE known.scored_at <= excluded.scored_at
"""
# Of several programmes the one with the most points speaks.
_KNOWN = """
    SELECT DISTINCT ON (c.id) c.id, c.traits ->> 'country' AS country, c.traits ->> 'city' AS city, a.tier, a.points
    FROM customers c LEFT JOIN accounts a ON a.customer_id = c.id
    WHERE c.id = ANY($1::uuid[]) ORDER BY c.id, a.points DESC NULLS LAST, a.programme
"""


class SqlProjection:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def take(self, ids: Sequence[CustomerId]) -> Collection[CustomerId]:
        return [CustomerId(row["id"]) for row in await self._session.fetch(_TAKE, ids)]

    async def put_traits(self, told: Sequence[Traits]) -> None:
        await self._put(_TRAITS, told, lambda one: (one.customer_id, json.dumps(dict(one.values)), one.at))

    async def put_consents(self, told: Sequence[Consent]) -> None:
        await self._put(
            _CONSENTS, told, lambda one: (one.customer_id, one.way.purpose, one.way.channel, one.is_granted, one.at)
        )

    async def put_stages(self, told: Sequence[Stage]) -> None:
        await self._put(_STAGES, told, lambda one: (one.customer_id, one.stage, one.at))

    async def put_tiers(self, told: Sequence[Tier]) -> None:
        await self._put(_TIERS, told, lambda one: (one.customer_id, one.programme, one.tier, one.at))

    async def put_balances(self, told: Sequence[Balance]) -> None:
        await self._put(_BALANCES, told, lambda one: (one.customer_id, one.programme, one.points, one.seq))

    async def put_scores(self, told: Sequence[Score]) -> None:
        await self._put(_SCORES, told, attrgetter("customer_id", *_SCORE_COLUMNS))

    async def known(self, ids: Collection[CustomerId]) -> Mapping[CustomerId, Known]:
        rows = await self._session.fetch(_KNOWN, list(ids))
        return {row["id"]: Known(row["country"], row["city"], row["tier"], row["points"]) for row in rows}

    async def _put(self, statement: str, told: Sequence[Told], row: Callable[[Told], tuple[object, ...]]) -> None:
        """Each of the statement's arrays is a column of the rows."""
        if told:
            await self._session.execute(statement, *(list(column) for column in zip(*map(row, told), strict=True)))
