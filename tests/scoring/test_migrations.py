"""Shops that were scored before segments were data: nothing that was said of their customers changes."""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import text

from regulars_kit.migrations import migrate
from scoring.shop import Shop

_INSIGHT = import_module("regulars_scoring.adapters.db.migrations.versions.0005_insight")

_OF_COSTS = (
    "programme",
    "costed_minor",
    "cost_minor",
    "earned",
    "returned_costed_minor",
    "returned_cost_minor",
    "taken_back",
)
_BACK = (
    *(f"ALTER TABLE {table} DROP COLUMN segment" for table in ("customers", "drafts", "score_history")),
    "DROP TABLE rfm_settings, insights",
    "DROP TABLE costs, points, terms",
    "DROP TABLE merges, customer_alias, erased_customers",
    "DROP INDEX returns_of_customer",
    "ALTER TABLE returns DROP COLUMN programme",
    *(f"ALTER TABLE purchases DROP COLUMN {column}" for column in _OF_COSTS),
    "UPDATE runs SET model = (model #- '{cuts,nested}') - '{grid,window_days,cycles,everybody}'::text[]",
    f"UPDATE alembic_version SET version_num = '{_INSIGHT.down_revision}'",
)


async def test_their_segments_are_those_of_the_grid_there_was(scored: Shop) -> None:
    query = "SELECT id, segment FROM customers ORDER BY id"
    said = [tuple(row) for row in await scored.rows(query)]
    assert len({segment for _, segment in said}) > 5
    async with scored.service.database.transaction() as connection:
        for statement in _BACK:
            await connection.execute(text(statement))
    await migrate(scored.service.database.url, "regulars_scoring")
    assert [tuple(row) for row in await scored.rows(query)] == said
    for customer_id, segment in said[:5]:
        (entry,) = (await scored.get(f"/v1/scores/{customer_id}/history"))["items"]
        live = await scored.score(customer_id)
        assert entry["rfm_segment"] == live["rfm_segment"] == segment
    # Nor is it news to the next run.
    assert (await scored.run())["published"] == 0
