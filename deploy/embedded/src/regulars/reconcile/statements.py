"""What each side says, as rows (who, figure, said) in that order; nothing is left out on both sides.

Each statement has one parameter, and the two of a pair the same. A figure of one side has its equal on the other, so
a pair is to be read together: loyalty's facts are reckoned here as the projection understands them.
"""

from __future__ import annotations

# As Python compares texts, too: the databases of a home are all made with the locale C.UTF-8.
_ORDER = " ORDER BY who, figure"

# What came back, purchase by purchase (none: it matched no purchase), and the purchases with that.
_BOUGHT = """
    WITH given_back AS MATERIALIZED (
        SELECT facts.fact_id AS return_id, told.* FROM facts
        CROSS JOIN LATERAL jsonb_to_recordset(facts.payload -> 'given_back')
            AS told (purchase_id uuid, customer_id uuid, currency text, net_minor bigint, voided boolean)
        WHERE facts.kind = 'return'
    ), back AS (
        SELECT purchase_id, sum(net_minor) AS back_minor, bool_or(voided) AS is_void FROM given_back
        WHERE purchase_id IS NOT NULL GROUP BY purchase_id
    ), sold AS (
        SELECT purchase_id, sum(net_minor) AS sold_minor FROM purchase_lines GROUP BY purchase_id
    ), bought AS (
        SELECT customer_id AS who, currency, business_date, sold_minor, coalesce(back_minor, 0) AS back_minor,
               coalesce(is_void, false) AS is_void,
               coalesce(is_void OR back_minor >= sold_minor, false) AS is_gone
        FROM purchases JOIN sold USING (purchase_id) LEFT JOIN back USING (purchase_id)
        WHERE customer_id IS NOT NULL
    ), unmatched AS (
        SELECT customer_id AS who, currency, net_minor FROM given_back
        WHERE purchase_id IS NULL AND customer_id IS NOT NULL
    )
"""
_KEPT = """
    SELECT who, 'purchases' AS figure, count(*)::text AS said FROM bought WHERE NOT is_void GROUP BY who
    UNION ALL SELECT who, 'purchases voided', count(*)::text FROM bought WHERE is_void GROUP BY who
"""
# The lowest tier is everybody's, and nobody is told of it: who holds it may as well hold none.
_TIER = """
    UNION ALL SELECT customer_id, 'tier ' || programme, tier FROM (
        SELECT DISTINCT ON (customer_id, programme) * FROM accounts
        WHERE customer_id IS NOT NULL ORDER BY customer_id, programme, seq DESC
    ) AS held WHERE tier <> '' AND programme || '/' || tier <> ALL ($1::text[])
"""

LOWEST_TIERS = """
    SELECT coalesce(array_agg(DISTINCT code || '/' || (document -> 'tiers' -> 0 ->> 'code')), '{}') FROM programmes
    WHERE document -> 'tiers' -> 0 IS NOT NULL
"""

TOLD_TO_CUSTOMER = f"""
    {_BOUGHT}{_KEPT}
    UNION ALL SELECT who, 'net ' || currency, sum(minor)::text FROM (
        SELECT who, currency, sold_minor - back_minor AS minor FROM bought WHERE NOT is_void
        UNION ALL SELECT who, currency, -net_minor FROM unmatched
    ) AS moved GROUP BY who, currency HAVING sum(minor) <> 0
    UNION ALL SELECT customer_id, 'balance ' || programme || ' ' || wallet, (spendable - debt)::text FROM accounts
    WHERE customer_id IS NOT NULL AND spendable <> debt
    {_TIER}{_ORDER}
"""
KNOWN_TO_CUSTOMER = f"""
    SELECT customer_id AS who, 'purchases' AS figure, purchases::text AS said FROM life_cycles WHERE purchases <> 0
    UNION ALL SELECT customer_id, 'purchases voided', count(*)::text FROM sales
    WHERE is_voided AND customer_id IS NOT NULL GROUP BY customer_id
    UNION ALL SELECT customer_id, 'net ' || net.key, net.value
    FROM life_cycles CROSS JOIN LATERAL jsonb_each_text(net_minor) AS net WHERE net.value <> '0'
    UNION ALL SELECT customer_id, 'balance ' || (figures ->> 'programme') || ' ' || name,
                     ((figures ->> 'spendable')::bigint - (figures ->> 'debt')::bigint)::text
    FROM parts WHERE kind = 'balance' AND figures ->> 'spendable' <> figures ->> 'debt'
    UNION ALL SELECT customer_id, 'tier ' || name, figures ->> 'tier'
    FROM parts WHERE kind = 'tier' AND name || '/' || (figures ->> 'tier') <> ALL ($1::text[]){_ORDER}
"""

TOLD_TO_CAMPAIGN = f"""
    {_BOUGHT}, returned AS (
        SELECT coalesce(given_back.customer_id, purchases.customer_id) AS who, return_id, given_back.currency,
               net_minor
        FROM given_back LEFT JOIN purchases USING (purchase_id) WHERE NOT voided
    ) {_KEPT}
    UNION ALL SELECT who, 'bought ' || currency, sum(sold_minor)::text FROM bought
    WHERE NOT is_void GROUP BY who, currency HAVING sum(sold_minor) <> 0
    UNION ALL SELECT who, 'returns', count(DISTINCT return_id)::text FROM returned WHERE who IS NOT NULL GROUP BY who
    UNION ALL SELECT who, 'returned ' || currency, sum(net_minor)::text FROM returned
    WHERE who IS NOT NULL GROUP BY who, currency HAVING sum(net_minor) <> 0
    UNION ALL SELECT customer_id, 'balance ' || programme, (spendable - debt)::text FROM (
        SELECT DISTINCT ON (customer_id, programme) * FROM accounts
        WHERE customer_id IS NOT NULL ORDER BY customer_id, programme, seq DESC
    ) AS held WHERE spendable <> debt
    {_TIER}{_ORDER}
"""
KNOWN_TO_CAMPAIGN = f"""
    SELECT customer_id AS who, deed AS figure, sum(times)::text AS said FROM totals GROUP BY customer_id, deed
    UNION ALL SELECT customer_id, 'purchases voided', count(*)::text FROM purchases
    WHERE is_void AND customer_id IS NOT NULL GROUP BY customer_id
    UNION ALL SELECT customer_id, CASE deed WHEN 'purchases' THEN 'bought ' ELSE 'returned ' END || currency,
                     net_minor::text
    FROM totals WHERE net_minor <> 0
    UNION ALL SELECT customer_id, 'balance ' || programme, points::text FROM accounts WHERE points <> 0
    UNION ALL SELECT customer_id, 'tier ' || programme, tier FROM accounts
    WHERE programme || '/' || tier <> ALL ($1::text[]){_ORDER}
"""

REPORTING_CURRENCY = "SELECT currency FROM house"

# Of a voided purchase everything came back, so that it is in the net of days with nothing.
TOLD_TO_SCORING = f"""
    {_BOUGHT}, net AS (
        SELECT who, sum(minor)::text AS said FROM (
            SELECT who, currency, sold_minor - back_minor AS minor FROM bought
            UNION ALL SELECT who, currency, -net_minor FROM unmatched
        ) AS moved WHERE currency = $1::text GROUP BY who HAVING sum(minor) <> 0
    )
    SELECT who, 'net' AS figure, said FROM net
    UNION ALL SELECT who, 'net of days', said FROM net
    UNION ALL SELECT who, 'open purchases', count(*)::text FROM bought WHERE NOT is_gone GROUP BY who
    UNION ALL SELECT who, 'occasions', count(DISTINCT business_date)::text FROM bought WHERE NOT is_gone GROUP BY who
    UNION ALL SELECT who, 'purchases voided', count(*)::text FROM bought WHERE is_void GROUP BY who{_ORDER}
"""
KNOWN_TO_SCORING = f"""
    SELECT id AS who, 'net' AS figure, total_minor::text AS said FROM customers
    WHERE total_minor <> 0 AND $1::text IS NOT NULL
    UNION ALL SELECT customer_id, 'net of days', sum(net_minor)::text FROM days
    GROUP BY customer_id HAVING sum(net_minor) <> 0
    UNION ALL SELECT customer_id, 'open purchases', sum(open_purchases)::text FROM days
    GROUP BY customer_id HAVING sum(open_purchases) <> 0
    UNION ALL SELECT id, 'occasions', occasions::text FROM customers WHERE occasions <> 0
    UNION ALL SELECT customer_id, 'purchases voided', count(*)::text FROM purchases
    WHERE is_voided AND customer_id IS NOT NULL GROUP BY customer_id{_ORDER}
"""

# By the events' own ids, which begin with their time (UUIDv7): the same events on both sides, however late they came.
TOLD_BY_OUTBOX = f"""
    SELECT event_id AS who, type AS figure, 'told' AS said FROM outbox WHERE event_id >= $1::uuid{_ORDER}
"""
KNOWN_TO_FEED = f"""
    SELECT id AS who, type AS figure,
           CASE WHEN count(*) > 1 THEN 'told ' || count(*) || ' times'
                WHEN bool_or(sequence IS NULL) THEN 'not in the feed yet' ELSE 'told' END AS said
    FROM events WHERE id >= $1::uuid AND starts_with(type, '{{service}}.') GROUP BY id, type{_ORDER}
"""

UNSENT = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"
