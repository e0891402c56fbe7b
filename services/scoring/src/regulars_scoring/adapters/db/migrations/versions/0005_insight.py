"""RFM by the shop's own settings, so that a segment is a figure of its own; and what a run tells besides scores."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0003"

# The names that cells had while the grid was fixed. Of drafts and histories they are not written down: where
# `segment` is NULL there, the cell says it by that grid.
_SEGMENT = """
    CASE WHEN recency <= 2 THEN
             CASE WHEN frequency <= 2 THEN 'hibernating' WHEN frequency <= 4 THEN 'at risk' ELSE 'can''t lose' END
         WHEN recency = 3 AND frequency <= 2 THEN 'about to sleep'
         WHEN recency = 3 AND frequency = 3 THEN 'need attention'
         WHEN recency <= 4 AND frequency >= 4 THEN 'loyal'
         WHEN frequency >= 4 THEN 'champions'
         WHEN frequency >= 2 THEN 'potential loyalists'
         WHEN recency = 4 THEN 'promising'
         ELSE 'new' END
"""

_DDL = (
    "ALTER TABLE customers ADD COLUMN segment text",
    "ALTER TABLE drafts ADD COLUMN segment text",
    "ALTER TABLE score_history ADD COLUMN segment text",
    f"UPDATE customers SET segment = {_SEGMENT} WHERE recency IS NOT NULL",
    # One row, once somebody has settings of their own.
    """
    CREATE TABLE rfm_settings (
        is_ours boolean PRIMARY KEY DEFAULT true CHECK (is_ours),
        document jsonb NOT NULL
    )
    """,
    # What the run that serves has found out about everybody: triangles of cohorts, audits.
    """
    CREATE TABLE insights (
        name text PRIMARY KEY,
        run_id uuid NOT NULL,
        document jsonb NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)
