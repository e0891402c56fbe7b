"""Rows of the timeline: written in one statement, read newest first."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_customer.domain.timeline import Entry, Kind, Place
from regulars_kit.values import CustomerId

_ADD = text(
    """
    INSERT INTO timeline (event_id, customer_id, kind, occurred_at, recorded_at, purchase_id, figures)
    SELECT event_id, customer_id, kind, occurred_at, recorded_at, purchase_id, CAST(figures AS jsonb)
    FROM unnest(CAST(:event_ids AS uuid[]), CAST(:customers AS uuid[]), CAST(:kinds AS text[]),
                CAST(:occurred AS timestamptz[]), CAST(:recorded AS timestamptz[]), CAST(:purchases AS uuid[]),
                CAST(:figures AS text[]))
         AS entry (event_id, customer_id, kind, occurred_at, recorded_at, purchase_id, figures)
    """
)

_READ = """
    SELECT event_id, kind, customer_id, occurred_at, recorded_at, figures, purchase_id FROM timeline
    WHERE customer_id = :customer AND kind = ANY(:kinds) {before}
    ORDER BY occurred_at DESC, event_id DESC LIMIT :limit
"""
_READ_FIRST = text(_READ.format(before=""))
_READ_BEFORE = text(_READ.format(before="AND (occurred_at, event_id) < (:occurred_at, :event_id)"))


async def add_entries(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    columns = {
        "event_ids": [entry.event_id for entry in entries],
        "customers": [entry.customer_id for entry in entries],
        "kinds": [entry.kind.value for entry in entries],
        "occurred": [entry.occurred_at for entry in entries],
        "recorded": [entry.recorded_at for entry in entries],
        "purchases": [entry.purchase_id for entry in entries],
        "figures": [json.dumps(entry.figures) for entry in entries],
    }
    await connection.execute(_ADD, columns)


async def read_entries(
    connection: AsyncConnection, customer_id: CustomerId, kinds: Collection[Kind], before: Place | None, limit: int
) -> Sequence[Entry]:
    values = {"customer": customer_id, "kinds": [kind.value for kind in kinds], "limit": limit}
    if before is None:
        rows = await connection.execute(_READ_FIRST, values)
    else:
        occurred_at, event_id = before
        rows = await connection.execute(_READ_BEFORE, {**values, "occurred_at": occurred_at, "event_id": event_id})
    return [_entry(row) for row in rows]


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    fields = dict(row._mapping)
    return Entry(**{**fields, "kind": Kind(fields["kind"])})
