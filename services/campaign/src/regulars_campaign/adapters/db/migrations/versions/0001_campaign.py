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
    # The whole table by deed and kind of row, for one look over everybody; the index alone answers it.
    """
    CREATE INDEX rollups_windows ON rollups (deed, day) INCLUDE (customer_id, currency, times, net_minor)
    WHERE category IS NULL
    """,
    "CREATE INDEX rollups_categories ON rollups (deed, category, day) WHERE category IS NOT NULL",
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

_TAKE = """
    -- Locks the customers, whose ids are sorted, and returns those who are new. While one is locked no segment appears.
    CREATE FUNCTION take_customers(ids uuid[]) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
    BEGIN
        -- From here on customers are named in each statement. Plans are made while tables are small and kept when they
        -- are not: no scan of a whole table may be in one.
        SET LOCAL enable_seqscan = off;
        PERFORM pg_advisory_xact_lock_shared(7410);
        RETURN QUERY INSERT INTO customers (id) SELECT unnest(ids) ON CONFLICT DO NOTHING RETURNING id;
        PERFORM FROM customers WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
    END $$
"""

_ROLL_UP = r"""
    -- Reckons the days of these returns, and those of the purchases and their returns, again from what is stored, for
    -- the customers in `who`, and then their totals. Each row is looked up by its key, by plans that are made while
    -- tables are small: all that reads a table whole is switched off.
    CREATE FUNCTION roll_up(who uuid[], returned_by uuid[], returned_on date[], spoken_of uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off SET enable_seqscan = off AS $$
    DECLARE
        customers uuid[];
        days date[];
    BEGIN
        -- What came back of a purchase is its customer's, even where the return named nobody.
        UPDATE returns SET customer_id = p.customer_id FROM purchases p
        WHERE p.id = ANY (spoken_of) AND returns.purchase_id = p.id
            AND coalesce(returns.customer_id, p.customer_id) IS DISTINCT FROM returns.customer_id;

        SELECT array_agg(customer_id), array_agg(day) INTO customers, days FROM (
            SELECT * FROM unnest(returned_by, returned_on) AS said (customer_id, day)
            UNION SELECT p.customer_id, p.day FROM purchases p WHERE p.id = ANY (spoken_of) AND p.day IS NOT NULL
            UNION SELECT r.customer_id, r.day FROM returns r WHERE r.purchase_id = ANY (spoken_of)
        ) touched WHERE customer_id = ANY (who);

        DELETE FROM rollups r USING unnest(customers, days) AS touched (customer_id, day)
        WHERE r.customer_id = touched.customer_id AND r.deed IN ('purchases', 'returns') AND r.day = touched.day;
        IF FOUND THEN
            -- Nothing may be left of what they stood for: a receipt that was cancelled was no purchase.
            DELETE FROM totals WHERE customer_id = ANY (customers);
        END IF;

        INSERT INTO rollups (customer_id, deed, day, category, store, channel, currency, times, net_minor,
                             least_minor, most_minor)
        SELECT p.customer_id, 'purchases', p.day, part.category, p.store, p.channel, p.currency, count(*),
            sum(part.net), min(part.net), max(part.net)
        FROM unnest(customers, days) AS touched (customer_id, day)
        JOIN purchases p ON p.customer_id = touched.customer_id AND p.day = touched.day AND NOT p.is_void
        CROSS JOIN LATERAL (
            SELECT NULL AS category, p.total_minor AS net
            UNION ALL SELECT key, value::bigint FROM jsonb_each_text(p.parts)
        ) part
        GROUP BY p.customer_id, p.day, part.category, p.store, p.channel, p.currency;

        -- A return without a receipt is one return, of however many purchases.
        INSERT INTO rollups (customer_id, deed, day, category, store, channel, currency, times, net_minor,
                             least_minor, most_minor)
        SELECT customer_id, 'returns', day, category, store, NULL, currency, count(*), sum(net), min(net), max(net)
        FROM (
            SELECT r.id, r.customer_id, r.day, part.category, r.store, r.currency, sum(part.net) AS net
            FROM unnest(customers, days) AS touched (customer_id, day)
            JOIN returns r ON r.customer_id = touched.customer_id AND r.day = touched.day
            LEFT JOIN purchases p ON p.id = r.purchase_id
            CROSS JOIN LATERAL (
                SELECT NULL AS category, r.total_minor AS net
                UNION ALL
                SELECT p.categories ->> line.key, line.value::bigint FROM jsonb_each_text(r.lines) line
                WHERE p.categories ->> line.key IS NOT NULL
            ) part
            GROUP BY r.id, r.customer_id, r.day, part.category, r.store, r.currency
        ) deed
        GROUP BY customer_id, day, category, store, currency;

        INSERT INTO totals AS known (customer_id, deed, currency, times, net_minor, least_minor, most_minor, first_day,
                                     last_day)
        SELECT customer_id, deed, currency, sum(times), sum(net_minor), min(least_minor), max(most_minor), min(day),
            max(day)
        FROM rollups WHERE customer_id = ANY (customers) AND category IS NULL GROUP BY customer_id, deed, currency
        ON CONFLICT (customer_id, deed, currency) DO UPDATE SET
            times = excluded.times, net_minor = excluded.net_minor, least_minor = excluded.least_minor,
            most_minor = excluded.most_minor, first_day = excluded.first_day, last_day = excluded.last_day;
    END $$
"""

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
    own = (*_CUSTOMERS, _TAKE, *_DEEDS, _ROLL_UP, *_SEGMENTS, *_CAMPAIGNS)
    for statement in (*own, *outbox.DDL, *inbox.DDL, *idempotency.DDL, *jobs.DDL):
        op.execute(statement)
