"""Customers: their ledgers, states and published figures. Rows are locked singly, or many in the order of ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from regulars_kit.values import CustomerId
from regulars_scoring.adapters.db.models import ModelCache
from regulars_scoring.adapters.db.rows import FIGURES, columns_of, customer_in, figures_in, history_entry_in
from regulars_scoring.adapters.db.session import Session
from regulars_scoring.application.ports import CellCount, Customer, DecileCount, Drafted, HistoryEntry, Posted
from regulars_scoring.domain.facts import CustomerScored
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.purchases import Posting
from regulars_scoring.domain.state import Entry

_REGISTER = """
    INSERT INTO customers AS mine (id, registered_at) VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE SET registered_at = excluded.registered_at WHERE mine.registered_at IS NULL
"""
# The customer's row is locked first: the day is of who was found there.
_POST = """
    WITH buyer AS MATERIALIZED (
        SELECT * FROM customers WHERE id = $1 FOR NO KEY UPDATE
    ), posted AS (
        INSERT INTO days AS mine (customer_id, day, net_minor, open_purchases)
        SELECT id, $2, $3, $4 FROM buyer
        ON CONFLICT (customer_id, day) DO UPDATE
            SET net_minor = mine.net_minor + excluded.net_minor,
                open_purchases = mine.open_purchases + excluded.open_purchases
        RETURNING coalesce(old.net_minor, 0) AS net_before, coalesce(old.open_purchases, 0) AS open_before,
                  new.net_minor AS net_after, new.open_purchases AS open_after
    )
    SELECT * FROM buyer, posted
"""
_STORE = """
    UPDATE customers SET occasions = $2, total_minor = $3, first_day = $4, last_day = $5, first_net_minor = $6,
        version = $7
    WHERE id = $1 RETURNING (SELECT run_id FROM house) AS serving_run
"""
_LEDGER = """
    SELECT day, net_minor, open_purchases FROM days WHERE customer_id = $1 AND ($2::date IS NULL OR day <= $2)
"""
_FIGURES = ", ".join(FIGURES)
_TYPES = "smallint[], $5::smallint[], $6::smallint[], $7::smallint[], $8::text[], $9::smallint[], $10::smallint[]"
# The history is told from what the row was before: the two parts of a statement see the same snapshot.
_PUBLISH = f"""
    WITH said AS (
        SELECT * FROM unnest($3::uuid[], $4::{_TYPES}, $11::bigint[], $12::date[], $13::timestamptz[])
            AS said (id, {_FIGURES}, as_of, scored_at)
    ), told AS (
        INSERT INTO score_history (customer_id, run_id, as_of, scored_at, model, currency, {_FIGURES})
        SELECT said.id, $1, said.as_of, said.scored_at, $2, $14, {", ".join(f"said.{name}" for name in FIGURES)}
        FROM said JOIN customers AS was USING (id)
        WHERE ({", ".join(f"was.{name}" for name in FIGURES)})
            IS DISTINCT FROM ({", ".join(f"said.{name}" for name in FIGURES)})
    )
    UPDATE customers SET scored_run = $1, {", ".join(f"{name} = said.{name}" for name in FIGURES)}
    FROM said WHERE customers.id = said.id
"""
# A draft fits while the state is the one it was made of, and nothing was bought after the day it was made for.
_LOCK_UNPUBLISHED = f"""
    WITH mine AS MATERIALIZED (
        SELECT * FROM customers
        WHERE ($2::uuid IS NULL OR id > $2) AND occasions > 0 AND scored_run IS DISTINCT FROM $1
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
    SELECT * FROM score_history WHERE customer_id = $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""
_COUNTED = "count(*) AS customers, sum(total_minor)::bigint AS total_minor, sum(clv_major)::bigint AS clv_major"
_CELLS = f"""
    SELECT recency, frequency, monetary, {_COUNTED} FROM customers
    WHERE recency IS NOT NULL AND occasions > 0 GROUP BY recency, frequency, monetary ORDER BY 1 DESC, 2 DESC, 3 DESC
"""
_DECILES = f"""
    SELECT decile, {_COUNTED} FROM customers WHERE decile IS NOT NULL AND occasions > 0 GROUP BY decile ORDER BY decile
"""


class SqlCustomers:
    """The store of customers within one transaction."""

    def __init__(self, session: Session, models: ModelCache) -> None:
        self._session = session
        self._models = models

    async def register(self, customer_id: CustomerId, at: datetime) -> None:
        await self._session.execute(_REGISTER, customer_id, at)

    async def find(self, customer_id: CustomerId) -> Customer | None:
        row = await self._session.first("SELECT * FROM customers WHERE id = $1", customer_id)
        return None if row is None else customer_in(row)

    async def post(self, posting: Posting) -> Posted:
        change = posting.change
        values = (posting.customer_id, posting.day, change.net_minor, change.open_purchases)
        row = await self._session.first(_POST, *values)
        if row is None:
            await self._session.execute("INSERT INTO customers (id) VALUES ($1) ON CONFLICT DO NOTHING", values[0])
            row = await self._session.first(_POST, *values)
        assert row is not None
        before, after = Entry(row["net_before"], row["open_before"]), Entry(row["net_after"], row["open_after"])
        return Posted(customer_in(row), before, after)

    async def ledger(self, customer_id: CustomerId, until: date | None = None) -> Mapping[date, Entry]:
        rows = await self._session.fetch(_LEDGER, customer_id, until)
        return {row["day"]: Entry(row["net_minor"], row["open_purchases"]) for row in rows}

    async def store(self, customer: Customer) -> Model | None:
        state = customer.state
        days = (state.first_day, state.last_day)
        values = (state.occasions, state.total_minor, *days, state.first_net_minor, customer.version)
        row = await self._session.first(_STORE, customer.id, *values)
        return None if row is None else await self._models.of_run(self._session, row["serving_run"])

    async def publish(self, scored: Sequence[CustomerScored]) -> None:
        if not scored:
            return
        one = scored[0]
        ids = [each.customer_id for each in scored]
        times = [each.as_of for each in scored], [each.at for each in scored]
        await self._session.execute(_PUBLISH, one.run_id, one.model, ids, *columns_of(scored), *times, one.currency)

    async def lock_unpublished(self, run_id: UUID, after: CustomerId | None, limit: int) -> Sequence[Drafted]:
        rows = await self._session.fetch(_LOCK_UNPUBLISHED, run_id, after, limit)
        return [Drafted(customer_in(row), figures_in(row, "draft_") if row["is_drafted"] else None) for row in rows]

    async def history(self, customer_id: CustomerId, before: int | None, limit: int) -> Sequence[HistoryEntry]:
        return [history_entry_in(row) for row in await self._session.fetch(_HISTORY, customer_id, before, limit)]

    async def cells(self) -> Sequence[CellCount]:
        return [CellCount(**row) for row in await self._session.fetch(_CELLS)]

    async def deciles(self) -> Sequence[DecileCount]:
        return [DecileCount(**row) for row in await self._session.fetch(_DECILES)]
