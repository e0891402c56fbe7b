"""The unit of work of what is heard: a few statements over arrays, however many events share the transaction.

Everybody locks in one order, sales, life cycles, parts, and each of them by its key: two consumers may wait for each
other's customers, and never in a circle.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_customer.adapters.db import entries as rows
from regulars_customer.adapters.db.announcing import ToMessage, announce
from regulars_customer.adapters.db.histories import histories
from regulars_customer.adapters.db.picture import life_cycle_of
from regulars_customer.domain.facts import Fact
from regulars_customer.domain.heard import Heard, Part, PartKey, PartKind, Sale
from regulars_customer.domain.life_cycle import History, LifeCycle
from regulars_customer.domain.timeline import Entry, Figures
from regulars_kit.values import CustomerId

# Prepared plans are made while tables are small and kept when they are not: no scan of a whole table may be in one.
_NO_SCANS = text("SELECT set_config('enable_seqscan', 'off', true)")

# What one event told stays when another says nothing of it; amounts that came back add up.
_KEEP_SALES = text(
    """
    INSERT INTO sales (id, customer_id, occurred_at, currency, net_minor, returned_minor, is_voided)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:customers AS uuid[]), CAST(:occurred AS timestamptz[]),
                         CAST(:currencies AS text[]), CAST(:nets AS bigint[]), CAST(:returned AS bigint[]),
                         CAST(:voided AS boolean[]))
    ON CONFLICT (id) DO UPDATE SET
        customer_id = coalesce(sales.customer_id, excluded.customer_id),
        occurred_at = coalesce(sales.occurred_at, excluded.occurred_at),
        currency = coalesce(sales.currency, excluded.currency),
        net_minor = coalesce(sales.net_minor, excluded.net_minor),
        returned_minor = sales.returned_minor + excluded.returned_minor,
        is_voided = sales.is_voided OR excluded.is_voided
    RETURNING id, customer_id
    """
)

_BEGIN = text(
    """
    INSERT INTO life_cycles (customer_id, stage, purchases, net_minor, as_of, updated_at)
    SELECT customer_id, 'prospect', 0, '{}', to_timestamp(0), :at
    FROM unnest(CAST(:customers AS uuid[])) AS told (customer_id)
    ON CONFLICT DO NOTHING
    """
)

_LOCK = text("SELECT * FROM life_cycles WHERE customer_id = ANY(:customers) ORDER BY customer_id FOR UPDATE")

_DUE = text(
    """
    SELECT * FROM life_cycles WHERE stage NOT IN ('prospect', 'lapsed') AND last_at <= :silent_since
    ORDER BY last_at LIMIT :limit FOR UPDATE SKIP LOCKED
    """
)

_KEEP_LIFE_CYCLES = text(
    """
    UPDATE life_cycles SET
        stage = told.stage, since = told.since, purchases = told.purchases, first_at = told.first_at,
        previous_at = told.previous_at, last_at = told.last_at, net_minor = CAST(told.net AS jsonb),
        as_of = told.as_of, updated_at = told.updated_at
    FROM unnest(CAST(:customers AS uuid[]), CAST(:stages AS text[]), CAST(:since AS timestamptz[]),
                CAST(:purchases AS integer[]), CAST(:first AS timestamptz[]), CAST(:previous AS timestamptz[]),
                CAST(:last AS timestamptz[]), CAST(:nets AS text[]), CAST(:as_of AS timestamptz[]),
                CAST(:updated AS timestamptz[]))
         AS told (customer_id, stage, since, purchases, first_at, previous_at, last_at, net, as_of, updated_at)
    WHERE life_cycles.customer_id = told.customer_id
    """
)

_KEEP_PARTS = text(
    """
    INSERT INTO parts (customer_id, kind, name, figures, rank, as_of, updated_at)
    SELECT customer_id, kind, name, CAST(figures AS jsonb), rank, as_of, :at
    FROM unnest(CAST(:customers AS uuid[]), CAST(:kinds AS text[]), CAST(:names AS text[]), CAST(:figures AS text[]),
                CAST(:ranks AS bigint[]), CAST(:as_of AS timestamptz[]))
         AS told (customer_id, kind, name, figures, rank, as_of)
    ON CONFLICT (customer_id, kind, name) DO UPDATE SET
        figures = excluded.figures, rank = excluded.rank, as_of = excluded.as_of, updated_at = excluded.updated_at
    WHERE parts.rank <= excluded.rank
    RETURNING customer_id, kind, name, old.figures
    """
)

# What waited for its purchase's customer: their purchase is theirs, and so is all that happened to it.
_GIVE_ENTRIES = text(
    """
    UPDATE timeline SET customer_id = sales.customer_id FROM sales
    WHERE timeline.customer_id IS NULL AND timeline.purchase_id = ANY(:purchases)
          AND sales.id = timeline.purchase_id AND sales.customer_id IS NOT NULL
    """
)


class SqlListening:
    """`to_message` puts a fact into the words of the bus."""

    def __init__(self, connection: AsyncConnection, to_message: ToMessage) -> None:
        self.noted: list[Heard] = []
        self._connection = connection
        self._to_message = to_message
        self._is_begun = False

    def note(self, heard: Heard) -> None:
        self.noted.append(heard)

    async def keep_sales(self, sales: Sequence[Sale]) -> Mapping[UUID, CustomerId]:
        if not sales:
            return {}
        columns = {
            "ids": [sale.id for sale in sales],
            "customers": [sale.customer_id for sale in sales],
            "occurred": [sale.occurred_at for sale in sales],
            "currencies": [sale.currency for sale in sales],
            "nets": [sale.net_minor for sale in sales],
            "returned": [sale.returned_minor for sale in sales],
            "voided": [sale.is_voided for sale in sales],
        }
        kept = await self._execute(_KEEP_SALES, columns)
        return {sale_id: CustomerId(customer) for sale_id, customer in kept if customer is not None}

    async def lock_life_cycles(self, ids: Collection[CustomerId], at: datetime) -> Sequence[LifeCycle]:
        wanted = sorted(ids)
        await self._execute(_BEGIN, {"customers": wanted, "at": at})
        locked = (await self._execute(_LOCK, {"customers": wanted})).mappings().all()
        # A statement of its own: it sees what was committed while we waited for the locks.
        told = await histories(self._connection, wanted)
        return [replace(life_cycle_of(row), history=told.get(row["customer_id"], History())) for row in locked]

    async def due(self, silent_since: datetime, limit: int) -> Sequence[LifeCycle]:
        due = await self._execute(_DUE, {"silent_since": silent_since, "limit": limit})
        return [life_cycle_of(row) for row in due.mappings()]

    async def keep_life_cycles(self, life_cycles: Sequence[LifeCycle]) -> None:
        if not life_cycles:
            return
        columns = {
            "customers": [each.customer_id for each in life_cycles],
            "stages": [each.stage.value for each in life_cycles],
            "since": [each.since for each in life_cycles],
            "purchases": [each.history.purchases for each in life_cycles],
            "first": [each.history.first_at for each in life_cycles],
            "previous": [each.history.previous_at for each in life_cycles],
            "last": [each.history.last_at for each in life_cycles],
            "nets": [json.dumps(each.history.net_minor) for each in life_cycles],
            "as_of": [each.as_of for each in life_cycles],
            "updated": [each.updated_at for each in life_cycles],
        }
        await self._execute(_KEEP_LIFE_CYCLES, columns)

    async def keep_parts(self, parts: Sequence[Part], at: datetime) -> Mapping[PartKey, Figures | None]:
        if not parts:
            return {}
        columns = {
            "customers": [part.customer_id for part in parts],
            "kinds": [part.kind.value for part in parts],
            "names": [part.name for part in parts],
            "figures": [json.dumps(part.figures) for part in parts],
            "ranks": [part.rank for part in parts],
            "as_of": [part.as_of for part in parts],
        }
        kept = await self._execute(_KEEP_PARTS, {**columns, "at": at})
        return {(CustomerId(customer), PartKind(kind), name): before for customer, kind, name, before in kept}

    async def add_entries(self, entries: Sequence[Entry]) -> None:
        await rows.add_entries(self._connection, entries)
        owned = [entry.purchase_id for entry in entries if entry.purchase_id and entry.customer_id]
        if owned:
            await self._execute(_GIVE_ENTRIES, {"purchases": owned})

    async def announce(self, facts: Sequence[Fact]) -> None:
        await announce(self._connection, facts, self._to_message)

    async def _execute(self, statement: TextClause, values: Mapping[str, object]) -> CursorResult[*tuple[Any, ...]]:
        if not self._is_begun:
            self._is_begun = True
            await self._connection.execute(_NO_SCANS)
        return await self._connection.execute(statement, values)
