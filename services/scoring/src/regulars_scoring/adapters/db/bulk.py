"""What the worker reads and writes: everybody at once, over one connection of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from regulars_scoring.adapters.db.models import document_of
from regulars_scoring.adapters.db.money import SUMMED, profit_in
from regulars_scoring.adapters.db.rows import FIGURES
from regulars_scoring.application.ports import Insight
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.profit import ALL_MARGIN, Shares, shares_of
from regulars_scoring.domain.runs import Report

ROWS_AT_ONCE = 50_000

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# Days as their distance from the run's, so that no row makes a date of its own.
_STATES = """
    SELECT days.customer_id, customers.version,
           count(*) FILTER (WHERE open_purchases > 0) - 1 AS x,
           max(day) FILTER (WHERE open_purchases > 0) - min(day) FILTER (WHERE open_purchases > 0) AS t_x,
           $1 - min(day) FILTER (WHERE open_purchases > 0) AS t,
           (sum(net_minor) - (array_agg(net_minor ORDER BY day) FILTER (WHERE open_purchases > 0))[1])::bigint AS later,
           sum(net_minor)::bigint AS total,
           string_agg(int4send($1 - day), '' ORDER BY day) AS ages,
           string_agg(int8send(net_minor), '' ORDER BY day) AS nets,
           string_agg(CASE WHEN open_purchases > 0 THEN '\\x01'::bytea ELSE '\\x00' END, '' ORDER BY day) AS opens
    FROM days JOIN customers ON customers.id = days.customer_id
    WHERE day <= $1
    GROUP BY days.customer_id, customers.version
    HAVING count(*) FILTER (WHERE open_purchases > 0) > 0
"""
_RUN = """
    SELECT id, as_of, horizon_days, asked_model, runs.model IS NOT NULL AS is_fitted,
            (SELECT document FROM rfm_settings) AS rfm
    FROM runs WHERE id = $1
"""
_KEEP_MODEL = """
    UPDATE runs SET model = $2::jsonb, report = $3::jsonb, customers = $4, state = 'publishing'
    WHERE id = $1 AND model IS NULL AND state = 'running'
    RETURNING id
"""

_KEEP_INSIGHT = """
    INSERT INTO insights (name, run_id, document) VALUES ($1, $2, $3::jsonb)
    ON CONFLICT (name) DO UPDATE SET run_id = excluded.run_id, document = excluded.document
"""


async def connect(database_url: str) -> Connection:
    """A connection to the database of SQLAlchemy's URL."""
    url = database_url.replace("postgresql+asyncpg://", "postgresql://")
    named = {"application_name": "regulars-scoring-worker"}
    connection: Connection = await asyncpg.connect(url, timeout=10, server_settings=named)
    return connection


async def find_run(connection: Connection, run_id: UUID) -> asyncpg.Record | None:
    """`id`, `as_of`, `horizon_days`, `asked_model` and `is_fitted` of a run; `rfm`: the shop's settings as text, None
    where it has none of its own.
    """
    return await connection.fetchrow(_RUN, run_id)


async def read_currency(connection: Connection) -> str | None:
    """What money is counted in; None before the first purchase. It comes with that one's commit: whoever has read
    purchases is to ask after that."""
    currency: str | None = await connection.fetchval("SELECT currency FROM house")
    return currency


async def read_states(connection: Connection, as_of: date) -> AsyncIterator[Sequence[Sequence[Any]]]:
    """States of everybody at the end of that day, some at a time.

    Id, version, x, t_x, T, repeat and total minor; and of all days, the oldest first, one after the other as bytes:
    ages in days (4 bytes, the highest first), net minor units (8 bytes), and whether they are occasions (1 byte).
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        cursor = await connection.cursor(_STATES, as_of)
        while rows := await cursor.fetch(ROWS_AT_ONCE):
            yield rows


async def read_shares(connection: Connection, currency: str, as_of: date) -> Shares:
    """Of everybody's revenue until that day, what is margin, and what its points cost."""
    row = await connection.fetchrow(SUMMED, currency, as_of)
    assert row is not None
    return shares_of(profit_in(row)) or ALL_MARGIN


async def write_drafts(
    connection: Connection,
    model: Model,
    report: Report,
    insights: Mapping[str, Insight],
    customers: int,
    rows: Iterable[Sequence[object]],
) -> bool:
    """Keep the model and what it says of everybody, and let it serve; False when the run is no longer ours.

    A row is a customer's id and version, and the figures in their order.
    """
    async with connection.transaction():
        kept = json.dumps(document_of(model)), json.dumps(report)
        if await connection.fetchrow(_KEEP_MODEL, model.run_id, *kept, customers) is None:
            return False
        await connection.execute("TRUNCATE drafts")
        with_run = ((row[0], model.run_id, *row[1:]) for row in rows)
        columns = ["customer_id", "run_id", "version", *FIGURES]
        await connection.copy_records_to_table("drafts", records=with_run, columns=columns)
        await connection.execute("DELETE FROM drafts USING erased_customers AS gone WHERE customer_id = gone.id")
        found = [(name, model.run_id, json.dumps(insight)) for name, insight in insights.items()]
        await connection.executemany(_KEEP_INSIGHT, found)
        await connection.execute("UPDATE house SET run_id = $1", model.run_id)
    return True
