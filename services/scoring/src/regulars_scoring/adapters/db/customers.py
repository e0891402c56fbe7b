"""Customers: their ledgers, states and published figures. Rows are locked in the order of ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from regulars_kit.values import CustomerId
from regulars_scoring.adapters.db.publishing import publish
from regulars_scoring.adapters.db.recent import read_recent
from regulars_scoring.adapters.db.rows import FIGURES, customer_in, figures_in, history_entry_in
from regulars_scoring.adapters.db.session import Session
from regulars_scoring.application.ports import CellCount, DecileCount, Drafted, HistoryEntry
from regulars_scoring.domain.facts import CustomerScored
from regulars_scoring.domain.rfm import Recent
from regulars_scoring.domain.state import Entry

# Nobody else answers to the id that another one stands for.
_IDS = """
    SELECT id FROM (
        SELECT customers.id, true AS is_surviving FROM customers
        WHERE customers.id = coalesce((SELECT surviving_id FROM customer_alias WHERE id = $1), $1)
        UNION ALL
        SELECT alias.id, false FROM customer_alias AS alias
        WHERE surviving_id = coalesce((SELECT surviving_id FROM customer_alias WHERE id = $1), $1)
    ) AS ids ORDER BY is_surviving DESC, id
"""
_LEDGER = """
    SELECT day, net_minor, open_purchases FROM days WHERE customer_id = $1 AND ($2::date IS NULL OR day <= $2)
"""
# Not `$2 IS NULL OR id > $2`: a plan that is kept would begin at the first customer of all for each commit of a run.
_LEAST = "'00000000-0000-0000-0000-000000000000'::uuid"
# A draft fits while the state is the one it was made of, and nothing was bought after the day it was made for.
_LOCK_UNPUBLISHED = f"""
    WITH mine AS MATERIALIZED (
        SELECT * FROM customers
        WHERE id >= coalesce($2, {_LEAST}) AND id IS DISTINCT FROM $2::uuid
            AND occasions > 0 AND scored_run IS DISTINCT FROM $1
        ORDER BY id LIMIT $3 FOR NO KEY UPDATE
    )
    SELECT mine.*, drafts.run_id IS NOT NULL AS is_drafted,
           {", ".join(f"drafts.{name} AS draft_{name}" for name in FIGURES)}
    FROM mine
    LEFT JOIN runs ON runs.id = $1
    LEFT JOIN drafts ON drafts.customer_id = mine.id AND drafts.run_id = $1 AND drafts.version = mine.version
        AND mine.last_day <= runs.as_of
    ORDER BY mine.id
"""
_HISTORY = """
    SELECT * FROM score_history WHERE customer_id = ANY($1) AND ($2::bigint IS NULL OR id < $2)
    ORDER BY id DESC LIMIT $3
"""
_COUNTED = "count(*) AS customers, sum(total_minor)::bigint AS total_minor, sum(clv_major)::bigint AS clv_major"
_CELLS = f"""
    SELECT recency, frequency, monetary, {_COUNTED} FROM customers
    WHERE recency IS NOT NULL AND occasions > 0 GROUP BY recency, frequency, monetary ORDER BY 1 DESC, 2 DESC, 3 DESC
"""
_DECILES = f"""
    SELECT decile, churn_band, {_COUNTED} FROM customers WHERE decile IS NOT NULL AND occasions > 0
    GROUP BY decile, churn_band ORDER BY decile
"""


class SqlCustomers:
    """The store of customers within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def ids_of(self, customer_id: CustomerId) -> Sequence[CustomerId]:
        return [row["id"] for row in await self._session.fetch(_IDS, customer_id)]

    async def ledger(self, customer_id: CustomerId, until: date | None = None) -> Mapping[date, Entry]:
        rows = await self._session.fetch(_LEDGER, customer_id, until)
        return {row["day"]: Entry(row["net_minor"], row["open_purchases"]) for row in rows}

    async def recent(self, until: Mapping[CustomerId, date], window_days: int) -> Mapping[CustomerId, Recent]:
        return await read_recent(self._session, until, window_days)

    async def publish(self, scored: Sequence[CustomerScored]) -> None:
        await publish(self._session, scored)

    async def lock_unpublished(self, run_id: UUID, after: CustomerId | None, limit: int) -> Sequence[Drafted]:
        rows = await self._session.fetch(_LOCK_UNPUBLISHED, run_id, after, limit)
        return [Drafted(customer_in(row), figures_in(row, "draft_") if row["is_drafted"] else None) for row in rows]

    async def history(self, ids: Sequence[CustomerId], before: int | None, limit: int) -> Sequence[HistoryEntry]:
        return [history_entry_in(row) for row in await self._session.fetch(_HISTORY, ids, before, limit)]

    async def cells(self) -> Sequence[CellCount]:
        return [CellCount(**row) for row in await self._session.fetch(_CELLS)]

    async def deciles(self) -> Sequence[DecileCount]:
        return [DecileCount(**row) for row in await self._session.fetch(_DECILES)]
