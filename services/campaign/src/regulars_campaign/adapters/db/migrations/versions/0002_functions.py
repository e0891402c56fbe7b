"""Functions: what would be several round trips for the customers of a batch is one, and its plans are kept."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

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
    -- the customers in `who`, and then their totals. Each statement names its customers or purchases even where a join
    -- says as much: in whatever order a plan takes the tables, it reads no more than what is theirs.
    CREATE FUNCTION roll_up(who uuid[], returned_by uuid[], returned_on date[], spoken_of uuid[]) RETURNS void
    LANGUAGE plpgsql AS $$
    DECLARE
        customers uuid[];
        days date[];
    BEGIN
        -- What came back of a purchase is its customer's, even where the return named nobody.
        UPDATE returns SET customer_id = p.customer_id FROM purchases p
        WHERE p.id = ANY (spoken_of) AND returns.purchase_id = ANY (spoken_of) AND returns.purchase_id = p.id
            AND coalesce(returns.customer_id, p.customer_id) IS DISTINCT FROM returns.customer_id;

        SELECT array_agg(customer_id), array_agg(day) INTO customers, days FROM (
            SELECT * FROM unnest(returned_by, returned_on) AS said (customer_id, day)
            UNION SELECT p.customer_id, p.day FROM purchases p WHERE p.id = ANY (spoken_of) AND p.day IS NOT NULL
            UNION SELECT r.customer_id, r.day FROM returns r WHERE r.purchase_id = ANY (spoken_of)
        ) touched WHERE customer_id = ANY (who);

        DELETE FROM rollups r USING unnest(customers, days) AS touched (customer_id, day)
        WHERE r.customer_id = ANY (customers) AND r.customer_id = touched.customer_id AND r.day = touched.day;
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
        WHERE p.customer_id = ANY (customers)
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
            WHERE r.customer_id = ANY (customers)
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


def upgrade() -> None:
    for statement in (_TAKE, _ROLL_UP):
        op.execute(statement)
