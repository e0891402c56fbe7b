"""Which model a run is asked for. What it leaves as JSON needs no column: its name says what its parameters are of."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE runs ADD COLUMN asked_model text NOT NULL DEFAULT 'auto'")
