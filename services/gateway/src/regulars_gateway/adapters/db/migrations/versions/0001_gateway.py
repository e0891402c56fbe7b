"""Keys, webhook endpoints and deliveries, the feed; and the tables of the kit."""

from __future__ import annotations

from alembic import op

from regulars_kit import idempotency, inbox, jobs, outbox

revision = "0001"
down_revision = None

_DDL = (
    """
    CREATE TABLE api_keys (
        id uuid PRIMARY KEY,
        digest bytea NOT NULL UNIQUE,
        client text NOT NULL,
        name text NOT NULL,
        prefix text NOT NULL,
        scopes text[] NOT NULL,
        stores text[],
        is_from_settings boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        last_used_at timestamptz
    )
    """,
    """
    CREATE TABLE endpoints (
        id uuid PRIMARY KEY,
        url text NOT NULL,
        types text[],
        description text NOT NULL,
        secrets jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        disabled_reason text,
        disabled_at timestamptz,
        removed_at timestamptz,
        failures_in_row integer NOT NULL DEFAULT 0,
        failing_since timestamptz,
        probe_at timestamptz
    )
    """,
    # `place` is the order in which events came; `sequence` their number in the feed, given after the commit.
    """
    CREATE TABLE events (
        place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id uuid NOT NULL,
        type text NOT NULL,
        subject text NOT NULL,
        body bytea NOT NULL,
        received_at timestamptz NOT NULL,
        sequence bigint
    ) WITH (fillfactor = 80)
    """,
    "CREATE UNIQUE INDEX events_feed ON events (sequence) WHERE sequence IS NOT NULL",
    "CREATE INDEX events_unnumbered ON events (place) WHERE sequence IS NULL",
    # One row: the last number given, and up to where the feed is forgotten.
    "CREATE TABLE feed (last bigint NOT NULL, forgotten bigint NOT NULL)",
    "INSERT INTO feed VALUES (0, 0)",
    """
    CREATE TABLE deliveries (
        id uuid PRIMARY KEY,
        endpoint_id uuid NOT NULL,
        place bigint NOT NULL,
        event_id uuid NOT NULL,
        event_type text NOT NULL,
        subject text NOT NULL,
        state text NOT NULL DEFAULT 'pending',
        tries integer NOT NULL DEFAULT 0,
        next_at timestamptz,
        attempts jsonb NOT NULL DEFAULT '[]',
        created_at timestamptz NOT NULL
    ) WITH (fillfactor = 70)
    """,
    # The oldest pending one of a lane; every other index would cost each delivery twice.
    "CREATE INDEX deliveries_pending ON deliveries (endpoint_id, subject, place) WHERE state = 'pending'",
    # What is in order among itself: one customer's events for one endpoint. `next_at` NULL: nothing waits.
    """
    CREATE TABLE lanes (
        endpoint_id uuid NOT NULL,
        subject text NOT NULL,
        next_at timestamptz,
        claim uuid,
        leased_until timestamptz,
        PRIMARY KEY (endpoint_id, subject)
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX lanes_due ON lanes (endpoint_id, next_at) WHERE next_at IS NOT NULL AND claim IS NULL",
    "CREATE INDEX lanes_claimed ON lanes (leased_until) WHERE claim IS NOT NULL",
)


def upgrade() -> None:
    for statement in (*_DDL, *outbox.DDL, *inbox.DDL, *idempotency.DDL, *jobs.DDL):
        op.execute(statement)
