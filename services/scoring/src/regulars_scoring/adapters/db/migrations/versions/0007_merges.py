"""Ids that are one customer's, and those that are nobody's any more."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

_DDL = (
    # As they were told, also those that are undone: a merge may be heard again, or late.
    """
    CREATE TABLE merges (
        id uuid PRIMARY KEY,
        merged_id uuid NOT NULL,
        surviving_id uuid NOT NULL,
        is_undone boolean NOT NULL
    )
    """,
    "CREATE INDEX merges_by_merged ON merges (merged_id)",
    "CREATE INDEX merges_by_surviving ON merges (surviving_id)",
    # What the merges that hold amount to: a row for each id that another one stands for.
    """
    CREATE TABLE customer_alias (
        id uuid PRIMARY KEY,
        surviving_id uuid NOT NULL
    )
    """,
    "CREATE INDEX customer_alias_by_surviving ON customer_alias (surviving_id)",
    # So that nothing heard late brings anybody back.
    """
    CREATE TABLE erased_customers (
        id uuid PRIMARY KEY,
        erased_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    # Of all returns: those of a purchase have to be found, too, when their customer is erased.
    "CREATE INDEX returns_of_customer ON returns (customer_id) WHERE customer_id IS NOT NULL",
    "DROP INDEX returns_of_nothing",
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)
