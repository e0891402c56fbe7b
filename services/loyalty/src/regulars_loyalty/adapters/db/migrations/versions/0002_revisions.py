"""How often an account was stored, and the error of those who stored on top of what is not there any more."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

_DDL = (
    "ALTER TABLE accounts ADD COLUMN revision bigint NOT NULL DEFAULT 0",
    """
    CREATE FUNCTION raced(part text) RETURNS bigint LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%: somebody else was first', part USING ERRCODE = 'serialization_failure';
    END
    $$
    """,
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)
