"""Buying states and what they are made of, runs, published figures; and the tables of the kit."""

from __future__ import annotations

from alembic import op

from regulars_kit import idempotency, inbox, jobs, outbox

revision = "0001"
down_revision = None

_DDL = (
    # One row: the installation's reporting currency, and the run whose model serves.
    """
    CREATE TABLE house (
        is_ours boolean PRIMARY KEY DEFAULT true CHECK (is_ours),
        currency text NOT NULL,
        run_id uuid,
        known_since timestamptz NOT NULL DEFAULT now()
    )
    """,
    # total_minor NULL: of the purchase itself nothing was heard yet, only of its claim or its returns.
    """
    CREATE TABLE purchases (
        purchase_id uuid PRIMARY KEY,
        customer_id uuid,
        day date,
        currency text,
        total_minor bigint,
        returned_minor bigint NOT NULL DEFAULT 0,
        is_returned boolean NOT NULL DEFAULT false,
        is_voided boolean NOT NULL DEFAULT false
    )
    """,
    # A return without a receipt is announced once per purchase that it matched, and once for the rest.
    """
    CREATE TABLE returns (
        return_id uuid NOT NULL,
        purchase_id uuid,
        customer_id uuid,
        day date NOT NULL,
        currency text NOT NULL,
        amount_minor bigint NOT NULL,
        is_void boolean NOT NULL,
        UNIQUE NULLS NOT DISTINCT (return_id, purchase_id)
    )
    """,
    """
    CREATE TABLE days (
        customer_id uuid NOT NULL,
        day date NOT NULL,
        net_minor bigint NOT NULL,
        open_purchases integer NOT NULL,
        PRIMARY KEY (customer_id, day)
    )
    """,
    # State and published figures in one row: what a purchase locks and changes. Room is left for it on the page.
    """
    CREATE TABLE customers (
        id uuid PRIMARY KEY,
        registered_at timestamptz,
        version integer NOT NULL DEFAULT 0,
        occasions integer NOT NULL DEFAULT 0,
        total_minor bigint NOT NULL DEFAULT 0,
        first_day date,
        last_day date,
        first_net_minor bigint NOT NULL DEFAULT 0,
        scored_run uuid,
        recency smallint,
        frequency smallint,
        monetary smallint,
        decile smallint,
        churn_band text,
        churn_hundredths smallint,
        alive_hundredths smallint,
        clv_major bigint
    ) WITH (fillfactor = 80)
    """,
    """
    CREATE TABLE score_history (
        id bigint GENERATED ALWAYS AS IDENTITY,
        customer_id uuid NOT NULL,
        run_id uuid NOT NULL,
        as_of date NOT NULL,
        scored_at timestamptz NOT NULL,
        model text NOT NULL,
        currency text NOT NULL,
        recency smallint NOT NULL,
        frequency smallint NOT NULL,
        monetary smallint NOT NULL,
        decile smallint NOT NULL,
        churn_band text NOT NULL,
        churn_hundredths smallint NOT NULL,
        alive_hundredths smallint NOT NULL,
        clv_major bigint NOT NULL,
        PRIMARY KEY (customer_id, id)
    )
    """,
    # Whether a run has ended is also for its job to say: it can be cancelled before anybody works at it.
    """
    CREATE TABLE runs (
        id uuid PRIMARY KEY,
        job_id text NOT NULL,
        state text NOT NULL DEFAULT 'queued'
            CHECK (state IN ('queued', 'running', 'publishing', 'completed', 'failed', 'cancelled')),
        as_of date NOT NULL,
        horizon_days integer NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        completed_at timestamptz,
        customers bigint,
        published bigint NOT NULL DEFAULT 0,
        alarms bigint NOT NULL DEFAULT 0,
        failure_code text,
        failure_detail text,
        model jsonb,
        report jsonb
    )
    """,
    "CREATE UNIQUE INDEX runs_one_at_a_time ON runs ((true)) WHERE state IN ('queued', 'running', 'publishing')",
    # What a run is about to publish. After a crash of the server it is empty, and everybody is scored live instead.
    """
    CREATE UNLOGGED TABLE drafts (
        customer_id uuid PRIMARY KEY,
        run_id uuid NOT NULL,
        version integer NOT NULL,
        recency smallint NOT NULL,
        frequency smallint NOT NULL,
        monetary smallint NOT NULL,
        decile smallint NOT NULL,
        churn_band text NOT NULL,
        churn_hundredths smallint NOT NULL,
        alive_hundredths smallint NOT NULL,
        clv_major bigint NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in (*_DDL, *outbox.DDL, *inbox.DDL, *idempotency.DDL, *jobs.DDL):
        op.execute(statement)
