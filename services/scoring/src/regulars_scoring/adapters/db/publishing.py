"""Figures as they are published: in the customers' rows, and in their histories where they differ from the last."""

from __future__ import annotations

from collections.abc import Sequence

from regulars_scoring.adapters.db.rows import FIGURES, columns_of
from regulars_scoring.adapters.db.session import Session
from regulars_scoring.domain.facts import CustomerScored

_FIGURES = ", ".join(FIGURES)
_TYPES = (
    "$4::smallint[], $5::smallint[], $6::smallint[], $7::smallint[], $8::text[], $9::smallint[], $10::smallint[], "
    "$11::bigint[], $12::text[]"
)
# The history is told from what the row was before: the two parts of a statement see the same snapshot.
_PUBLISH = f"""
    WITH said AS (
        SELECT * FROM unnest($3::uuid[], {_TYPES}, $13::date[], $14::timestamptz[])
            AS said (id, {_FIGURES}, as_of, scored_at)
    ), told AS (
        INSERT INTO score_history (customer_id, run_id, as_of, scored_at, model, currency, {_FIGURES})
        SELECT said.id, $1, said.as_of, said.scored_at, $2, $15, {", ".join(f"said.{name}" for name in FIGURES)}
        FROM said JOIN customers AS was USING (id)
        WHERE ({", ".join(f"was.{name}" for name in FIGURES)})
            IS DISTINCT FROM ({", ".join(f"said.{name}" for name in FIGURES)})
    )
    UPDATE customers SET scored_run = $1, {", ".join(f"{name} = said.{name}" for name in FIGURES)}
    FROM said WHERE customers.id = said.id
"""


async def publish(session: Session, scored: Sequence[CustomerScored]) -> None:
    """Of customers whom this transaction has locked, all by one model."""
    if not scored:
        return
    one = scored[0]
    ids = [each.customer_id for each in scored]
    times = [each.as_of for each in scored], [each.at for each in scored]
    await session.execute(_PUBLISH, one.run_id, one.model, ids, *columns_of(scored), *times, one.currency)
