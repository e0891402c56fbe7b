"""What is known of customers. Each part remembers when it was so: what is older changes nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_campaign.domain.heard import Balance, Score
from regulars_campaign.domain.messages import Known
from regulars_campaign.domain.rules import HasConsent
from regulars_kit.values import CustomerId

EVENTS_LOCK = 7_410
"""Advisory lock: shared by those who have a customer in hand, alone for a new segment."""

# An update that changes nothing locks the row; a row that was there has a deleting transaction, and a new one none.
_TAKE = text(
    f"""
    INSERT INTO customers AS known (id) SELECT :id FROM pg_advisory_xact_lock_shared({EVENTS_LOCK})
    ON CONFLICT (id) DO UPDATE SET id = known.id RETURNING xmax = 0 AS is_new
    """
)
_LOCK = text("SELECT id FROM customers WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE")

_TRAITS = text(
    """
    UPDATE customers SET traits = CAST(:traits AS jsonb), traits_at = :at
    WHERE id = :id AND (traits_at IS NULL OR traits_at <= :at)
    """
)
_STAGE = text(
    "UPDATE customers SET stage = :stage, stage_at = :at WHERE id = :id AND (stage_at IS NULL OR stage_at <= :at)"
)
_CONSENT = text(
    """
    INSERT INTO consents AS known (customer_id, purpose, channel, is_granted, decided_at)
    VALUES (:id, :purpose, :channel, :is_granted, :at)
    ON CONFLICT (customer_id, purpose, channel) DO UPDATE
    SET is_granted = excluded.is_granted, decided_at = excluded.decided_at
    WHERE known.decided_at <= excluded.decided_at
    """
)
_TIER = text(
    """
    INSERT INTO accounts AS known (customer_id, programme, tier, tier_at) VALUES (:id, :programme, :tier, :at)
    ON CONFLICT (customer_id, programme) DO UPDATE SET tier = excluded.tier, tier_at = excluded.tier_at
    WHERE known.tier_at IS NULL OR known.tier_at <= excluded.tier_at
    """
)
_BALANCE = text(
    """
    INSERT INTO accounts AS known (customer_id, programme, points, account_seq) VALUES (:id, :programme, :points, :seq)
    ON CONFLICT (customer_id, programme) DO UPDATE SET points = excluded.points, account_seq = excluded.account_seq
    WHERE known.account_seq IS NULL OR known.account_seq < excluded.account_seq
    """
)
_SCORE_COLUMNS = (
    "scored_at", "recency", "frequency", "monetary", "rfm_segment", "decile", "churn_band", "churn_90", "p_alive",
    "clv", "currency",
)  # fmt: skip
_SCORE = text(
    f"""
    INSERT INTO scores AS known (customer_id, {", ".join(_SCORE_COLUMNS)})
    VALUES (:id, {", ".join(f":{column}" for column in _SCORE_COLUMNS)})
    ON CONFLICT (customer_id) DO UPDATE SET {", ".join(f"{column} = excluded.{column}" for column in _SCORE_COLUMNS)}
    WHERE known.scored_at <= excluded.scored_at
    """
)
# Of several programmes the one with the most points speaks.
_KNOWN = text(
    """
    SELECT DISTINCT ON (c.id) c.id, c.traits ->> 'country' AS country, c.traits ->> 'city' AS city, a.tier, a.points
    FROM customers c LEFT JOIN accounts a ON a.customer_id = c.id
    WHERE c.id = ANY(CAST(:ids AS uuid[])) ORDER BY c.id, a.points DESC NULLS LAST, a.programme
    """
)


class SqlProjection:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, customer_id: CustomerId) -> bool:
        return bool(await self._connection.scalar(_TAKE, {"id": customer_id}))

    async def lock(self, ids: Collection[CustomerId]) -> None:
        await self._connection.execute(_LOCK, {"ids": list(ids)})

    async def put_traits(self, customer_id: CustomerId, traits: Mapping[str, object], at: datetime) -> None:
        await self._put(_TRAITS, customer_id, traits=json.dumps(dict(traits)), at=at)

    async def put_consent(self, customer_id: CustomerId, way: HasConsent, *, is_granted: bool, at: datetime) -> None:
        await self._put(_CONSENT, customer_id, purpose=way.purpose, channel=way.channel, is_granted=is_granted, at=at)

    async def put_stage(self, customer_id: CustomerId, stage: str, at: datetime) -> None:
        await self._put(_STAGE, customer_id, stage=stage, at=at)

    async def put_tier(self, customer_id: CustomerId, programme: str, tier: str, at: datetime) -> None:
        await self._put(_TIER, customer_id, programme=programme, tier=tier, at=at)

    async def put_balance(self, customer_id: CustomerId, balance: Balance) -> None:
        await self._put(_BALANCE, customer_id, programme=balance.programme, points=balance.points, seq=balance.seq)

    async def put_score(self, customer_id: CustomerId, score: Score) -> None:
        await self._put(_SCORE, customer_id, **{column: getattr(score, column) for column in _SCORE_COLUMNS})

    async def known(self, ids: Collection[CustomerId]) -> Mapping[CustomerId, Known]:
        rows = await self._connection.execute(_KNOWN, {"ids": list(ids)})
        return {row.id: Known(row.country, row.city, row.tier, row.points) for row in rows}

    async def _put(self, statement: Any, customer_id: CustomerId, **values: object) -> None:
        await self._connection.execute(statement, {"id": customer_id, **values})
