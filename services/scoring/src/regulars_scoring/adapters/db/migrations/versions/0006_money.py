"""What goods, points, messages and acquisition cost; and the terms by which a programme values goods and points."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

_DDL = (
    # Of what was sold before this version nobody has said a cost: costed_minor NULL.
    """
    ALTER TABLE purchases
        ADD COLUMN programme text,
        ADD COLUMN costed_minor bigint,
        ADD COLUMN cost_minor bigint,
        ADD COLUMN earned bigint,
        ADD COLUMN returned_costed_minor bigint NOT NULL DEFAULT 0,
        ADD COLUMN returned_cost_minor bigint NOT NULL DEFAULT 0,
        ADD COLUMN taken_back bigint NOT NULL DEFAULT 0
    """,
    "ALTER TABLE returns ADD COLUMN programme text",
    "CREATE INDEX returns_of_nothing ON returns (customer_id) WHERE purchase_id IS NULL AND customer_id IS NOT NULL",
    """
    CREATE TABLE costs (
        kind text NOT NULL CHECK (kind IN ('acquisition', 'message')),
        id uuid NOT NULL,
        customer_id uuid NOT NULL,
        day date NOT NULL,
        currency text NOT NULL,
        amount_minor bigint NOT NULL,
        PRIMARY KEY (kind, id)
    )
    """,
    "CREATE INDEX costs_by_customer ON costs (customer_id)",
    # Points that moved otherwise than by a purchase or its return.
    """
    CREATE TABLE points (
        customer_id uuid NOT NULL,
        programme text NOT NULL,
        wallet text NOT NULL,
        account_seq bigint NOT NULL,
        cause text NOT NULL,
        day date NOT NULL,
        points bigint NOT NULL,
        PRIMARY KEY (customer_id, programme, wallet, account_seq, cause)
    )
    """,
    # Fractions as numerator and denominator: money is rounded once, where an entry is priced. `point_minor` has a pair
    # by currency: minor units that one point is worth.
    """
    CREATE TABLE terms (
        programme text NOT NULL,
        version bigint NOT NULL,
        effective_from date NOT NULL,
        margin_over numeric,
        margin_under numeric,
        point_minor jsonb NOT NULL,
        PRIMARY KEY (programme, version)
    )
    """,
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)
