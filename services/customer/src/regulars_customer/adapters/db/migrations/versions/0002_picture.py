"""The picture of a customer: sales, the life cycle, the parts others tell, the timeline."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

_DDL = (
    # One row per purchase, and per return that matched none, whoever told of it first: the rest is filled in as it is
    # heard. customer_id is NULL while nobody has claimed it, net_minor until the purchase itself is told.
    """
    CREATE TABLE sales (
        id uuid PRIMARY KEY,
        customer_id uuid,
        occurred_at timestamptz,
        currency text,
        net_minor bigint,
        returned_minor bigint NOT NULL,
        is_voided boolean NOT NULL
    )
    """,
    "CREATE INDEX sales_customer ON sales (customer_id) WHERE customer_id IS NOT NULL",
    # No foreign key to customers: purchases may be told of somebody whom nobody has registered.
    """
    CREATE TABLE life_cycles (
        customer_id uuid PRIMARY KEY,
        stage text NOT NULL,
        since timestamptz,
        purchases integer NOT NULL,
        first_at timestamptz,
        previous_at timestamptz,
        last_at timestamptz,
        net_minor jsonb NOT NULL,
        as_of timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX life_cycles_silent ON life_cycles (last_at) WHERE stage NOT IN ('prospect', 'lapsed')",
    """
    CREATE TABLE parts (
        customer_id uuid NOT NULL,
        kind text NOT NULL,
        name text NOT NULL,
        figures jsonb NOT NULL,
        rank bigint NOT NULL,
        as_of timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (customer_id, kind, name)
    )
    """,
    """
    CREATE TABLE timeline (
        event_id uuid NOT NULL,
        customer_id uuid,
        kind text NOT NULL,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        purchase_id uuid,
        figures jsonb NOT NULL
    )
    """,
    """
    CREATE UNIQUE INDEX timeline_customer ON timeline (customer_id, occurred_at, event_id)
    WHERE customer_id IS NOT NULL
    """,
    "CREATE INDEX timeline_unclaimed ON timeline (purchase_id) WHERE customer_id IS NULL",
    # Who was here before the timeline was.
    """
    INSERT INTO timeline (event_id, customer_id, kind, occurred_at, recorded_at, figures)
    SELECT gen_random_uuid(), id, 'registered', registered_at, registered_at, jsonb_build_object('source', source)
    FROM customers
    """,
    """
    INSERT INTO timeline (event_id, customer_id, kind, occurred_at, recorded_at, figures)
    SELECT gen_random_uuid(), customer_id, 'consent_changed', recorded_at, recorded_at, jsonb_build_object(
        'purpose', purpose, 'channel', channel, 'granted', is_granted, 'source', source)
    FROM consents
    """,
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)
