"""What is known of customers, segments and their members, templates, campaigns, messages; and the tables of the kit."""

from __future__ import annotations

from alembic import op

from regulars_kit import idempotency, inbox, jobs, outbox

revision = "0001"
down_revision = None

_CUSTOMERS = (
    """
    CREATE TABLE customers (
        id uuid PRIMARY KEY,
        traits jsonb NOT NULL DEFAULT '{}',
        traits_at timestamptz,
        stage text,
        stage_at timestamptz
    )
    """,
    """
    CREATE TABLE consents (
        customer_id uuid NOT NULL,
        purpose text NOT NULL,
        channel text NOT NULL,
        is_granted boolean NOT NULL,
        decided_at timestamptz NOT NULL,
        PRIMARY KEY (customer_id, purpose, channel)
    )
    """,
    # A balance and a tier come by different events, in any order: either may be missing.
    """
    CREATE TABLE accounts (
        customer_id uuid NOT NULL,
        programme text NOT NULL,
        points bigint,
        account_seq bigint,
        tier text,
        tier_at timestamptz,
        PRIMARY KEY (customer_id, programme)
    )
    """,
    """
    CREATE TABLE scores (
        customer_id uuid PRIMARY KEY,
        scored_at timestamptz NOT NULL,
        recency smallint NOT NULL,
        frequency smallint NOT NULL,
        monetary smallint NOT NULL,
        rfm_segment text NOT NULL,
        decile smallint NOT NULL,
        churn_band text NOT NULL,
        churn_90 numeric NOT NULL,
        p_alive numeric NOT NULL,
        clv bigint NOT NULL,
        currency text NOT NULL
    )
    """,
)

_DEEDS = (
    # A row without `occurred_at` was spoken of (claimed, cancelled, returned) before it was heard of.
    """
    CREATE TABLE purchases (
        id uuid PRIMARY KEY,
        customer_id uuid,
        day date,
        occurred_at timestamptz,
        store text,
        channel text,
        currency text,
        total_minor bigint,
        parts jsonb NOT NULL DEFAULT '{}',
        categories jsonb NOT NULL DEFAULT '{}',
        is_void boolean NOT NULL DEFAULT false
    )
    """,
    "CREATE INDEX purchases_customer_day ON purchases (customer_id, day)",
    # A return without a receipt is one row per purchase that it matched, and one for the rest.
    """
    CREATE TABLE returns (
        id uuid NOT NULL,
        purchase_id uuid,
        customer_id uuid,
        day date NOT NULL,
        occurred_at timestamptz NOT NULL,
        store text,
        currency text NOT NULL,
        total_minor bigint NOT NULL,
        lines jsonb NOT NULL,
        UNIQUE NULLS NOT DISTINCT (id, purchase_id)
    )
    """,
    "CREATE INDEX returns_purchase ON returns (purchase_id)",
    "CREATE INDEX returns_customer_day ON returns (customer_id, day)",
    # What was done on one day in one store by one channel; `category` NULL: whole receipts, else the parts in it.
    """
    CREATE TABLE rollups (
        customer_id uuid NOT NULL,
        deed text NOT NULL,
        day date NOT NULL,
        category text,
        store text,
        channel text,
        currency text NOT NULL,
        times bigint NOT NULL,
        net_minor bigint NOT NULL,
        least_minor bigint NOT NULL,
        most_minor bigint NOT NULL,
        UNIQUE NULLS NOT DISTINCT (customer_id, deed, day, category, store, channel, currency)
    )
    """,
    # The whole table by deed and kind of row, for one look over everybody; the index alone answers it. All rows have
    # `times > 0`: by saying so a query says that it is such a look, and one that names customers never comes here.
    """
    CREATE INDEX rollups_windows ON rollups (deed, day) INCLUDE (customer_id, currency, times, net_minor)
    WHERE category IS NULL AND times > 0
    """,
    "CREATE INDEX rollups_categories ON rollups (deed, category, day) WHERE category IS NOT NULL AND times > 0",
    """
    CREATE TABLE totals (
        customer_id uuid NOT NULL,
        deed text NOT NULL,
        currency text NOT NULL,
        times bigint NOT NULL,
        net_minor bigint NOT NULL,
        least_minor bigint NOT NULL,
        most_minor bigint NOT NULL,
        first_day date NOT NULL,
        last_day date NOT NULL,
        PRIMARY KEY (customer_id, deed, currency)
    )
    """,
)

_SEGMENTS = (
    """
    CREATE TABLE segments (
        id uuid PRIMARY KEY,
        code text NOT NULL UNIQUE,
        name text,
        rule jsonb NOT NULL,
        facets text[] NOT NULL,
        is_timed boolean NOT NULL,
        created_at timestamptz NOT NULL,
        swept_on date
    )
    """,
    """
    CREATE TABLE members (
        segment_id uuid NOT NULL REFERENCES segments (id),
        customer_id uuid NOT NULL,
        entered_at timestamptz NOT NULL,
        PRIMARY KEY (segment_id, customer_id)
    )
    """,
)

_CAMPAIGNS = (
    """
    CREATE TABLE templates (
        id uuid NOT NULL,
        version integer NOT NULL,
        code text NOT NULL,
        subject text NOT NULL,
        body text NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (id, version),
        UNIQUE (code, version)
    )
    """,
    """
    CREATE TABLE campaigns (
        id uuid PRIMARY KEY,
        code text NOT NULL UNIQUE,
        name text,
        trigger text NOT NULL,
        segment_id uuid REFERENCES segments (id),
        segment text,
        template_id uuid NOT NULL,
        template text NOT NULL,
        template_version integer,
        channel text NOT NULL,
        purpose text NOT NULL,
        state text NOT NULL,
        created_at timestamptz NOT NULL,
        launched_at timestamptz,
        CHECK ((trigger = 'segment_entered') = (segment_id IS NOT NULL)),
        CHECK ((state = 'draft') = (template_version IS NULL))
    )
    """,
    # At most one message per campaign, step and customer: this index decides it, never a look before the insert.
    """
    CREATE TABLE messages (
        id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL REFERENCES campaigns (id),
        step text NOT NULL,
        customer_id uuid NOT NULL,
        channel text NOT NULL,
        state text NOT NULL CHECK (state IN ('due', 'claimed', 'sent', 'skipped')),
        reason text,
        due_at timestamptz NOT NULL,
        next_try_at timestamptz NOT NULL DEFAULT now(),
        attempts integer NOT NULL DEFAULT 0,
        ended_at timestamptz,
        template_id uuid NOT NULL,
        template_version integer NOT NULL,
        content_hash text,
        UNIQUE (campaign_id, step, customer_id),
        CHECK ((state = 'skipped') = (reason IS NOT NULL)),
        CHECK ((state = 'sent') = (content_hash IS NOT NULL))
    )
    """,
    "CREATE INDEX messages_open ON messages (next_try_at) WHERE state IN ('due', 'claimed')",
    "CREATE INDEX messages_customer ON messages (customer_id, id)",
    "CREATE INDEX messages_campaign ON messages (campaign_id, id)",
)


def upgrade() -> None:
    own = (*_CUSTOMERS, *_DEEDS, *_SEGMENTS, *_CAMPAIGNS)
    for statement in (*own, *outbox.DDL, *inbox.DDL, *idempotency.DDL, *jobs.DDL):
        op.execute(statement)
