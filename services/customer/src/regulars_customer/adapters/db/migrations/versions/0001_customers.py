"""Customers, their identifiers, their ledger of consents; and the tables of the kit."""

from __future__ import annotations

from alembic import op

from regulars_kit import idempotency, inbox, jobs, outbox

revision = "0001"
down_revision = None

_DDL = (
    """
    CREATE TABLE customers (
        id uuid PRIMARY KEY,
        name text,
        given_name text,
        family_name text,
        birth_date date,
        birth_month smallint CHECK (birth_month BETWEEN 1 AND 12),
        language text,
        time_zone text,
        country text,
        city text,
        tags text[] NOT NULL,
        attributes jsonb NOT NULL,
        source text NOT NULL,
        acquisition_cost_minor bigint,
        currency text,
        registered_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        version integer NOT NULL,
        CHECK ((acquisition_cost_minor IS NULL) = (currency IS NULL))
    )
    """,
    "CREATE INDEX customers_tags ON customers USING gin (tags)",
    # Unique by the value and not by its hash, which changes when the key is rotated. The winner of a race is whose
    # row stands here first.
    """
    CREATE TABLE identifiers (
        id uuid PRIMARY KEY,
        customer_id uuid NOT NULL REFERENCES customers (id),
        kind text NOT NULL,
        value text NOT NULL,
        hash text NOT NULL,
        is_verified boolean NOT NULL,
        linked_at timestamptz NOT NULL,
        UNIQUE (kind, value)
    )
    """,
    "CREATE INDEX identifiers_customer ON identifiers (customer_id)",
    # A ledger: rows are added and never changed; the last one per purpose and channel holds.
    """
    CREATE TABLE consents (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_id uuid NOT NULL REFERENCES customers (id),
        purpose text NOT NULL,
        channel text NOT NULL,
        is_granted boolean NOT NULL,
        source text NOT NULL,
        wording_version text,
        recorded_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX consents_customer ON consents (customer_id, id)",
    """
    CREATE FUNCTION consents_only_grow() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the ledger of consents is never rewritten'; END $$
    """,
    """
    CREATE TRIGGER consents_only_grow BEFORE UPDATE ON consents
    FOR EACH STATEMENT EXECUTE FUNCTION consents_only_grow()
    """,
)


def upgrade() -> None:
    for statement in (*_DDL, *outbox.DDL, *inbox.DDL, *idempotency.DDL, *jobs.DDL):
        op.execute(statement)
