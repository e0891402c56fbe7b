-- The limit: one data-modifying statement that writes what a purchase of three lines writes, with nothing to read,
-- parse, price or hash, and no answer to give. `{count}` purchases at once, each of another customer: place p draws
-- one of the p-th `{each}` customers, so that all transactions lock accounts in one order.
-- \x3a is a colon: before a letter or a digit pgbench would take a plain one for a variable.
WITH new AS MATERIALIZED (
    SELECT uuidv7() AS purchase_id, uuidv7() AS event_id, now() AS at, md5(random()::text) AS receipt_no,
           md5('customer ' || ((place - 1) * {each} + 1 + floor(random() * {each})::int))::uuid AS customer_id
    FROM generate_series(1, {count}) AS place
), account AS (
    UPDATE accounts
    SET seq = seq + 1, fact_no = fact_no + 1, head = sha256(head), spendable = spendable + 116, visits = visits + 1,
        standings = '{"2026": [1234, 1234]}', newest_at = at, recorded_at = at
    FROM new
    WHERE accounts.customer_id = new.customer_id AND programme = 'main' AND wallet = 'points'
    RETURNING account_id, new.customer_id, seq, fact_no, spendable, visits, head, at, purchase_id, event_id, receipt_no
), purchase AS (
    INSERT INTO purchases (
        purchase_id, account_id, customer_id, fact_no, programme, version, store, till, business_date, receipt_no,
        occurred_at, currency, paid_in_points_minor, known_at, recorded_at, earned, paid, credit, tier, visit,
        expires_at, coupons, offers, client, content_hash, answer, sale_hash
    )
    SELECT purchase_id, account_id, customer_id, fact_no, 'main', 1, 'berlin-1', '1', at::date, receipt_no,
           at, 'EUR', 0, at, at, 116, 0, 66, 'base', visits,
           at + interval '365 days', '[]', '[]', 'bench', head,
           E'{"purchase_id":"' || purchase_id || E'","customer_id":"' || customer_id
           || E'","tier":"base","earned"\x3a116,"pending"\x3a0,"lines":[{"line_id":"1","points"\x3a100},'
           '{"line_id":"2","points"\x3a13},{"line_id":"3","points"\x3a3}],"balance":' || spendable
           || E',"duplicate_of"\x3anull}', head
    FROM account
), lines AS (
    INSERT INTO purchase_lines (purchase_id, line_no, line_id, sku, category, quantity_milli, net_minor, points)
    SELECT purchase_id, line.*
    FROM account CROSS JOIN (VALUES
        (0, '1', 'shoes-42', 'shoes', 1000, 4999, 100),
        (1, '2', 'socks-3', 'clothes', 1000, 1290, 13),
        (2, '3', 'laces-1', NULL, 1000, 350, 3)
    ) AS line
), lot AS (
    INSERT INTO lots (lot_id, account_id, origin, issued, remaining, activated_at, expires_at)
    SELECT purchase_id, account_id, purchase_id, 116, 116, at, at + interval '365 days' FROM account
), posting AS (
    INSERT INTO postings (account_id, account_seq, at, recorded_at, source, target, points, lot_id, fact_id, cause, hash)
    SELECT account_id, seq, at, at, 'issued', 'spendable', 116, purchase_id, purchase_id, 'purchase', head FROM account
)
INSERT INTO outbox (event_id, type, key, body)
SELECT event_id, 'loyalty.purchase_recorded.v1', customer_id::text, convert_to(
    E'{"specversion":"1.0","id":"' || event_id || E'","source":"/regulars/loyalty",'
    '"type":"loyalty.purchase_recorded.v1","subject":"' || customer_id
    || E'","time":"2026-01-01T12\x3a00\x3a00.000000Z","datacontenttype":"application/json","data":{"purchase_id":"'
    || purchase_id || E'","customer_id":"' || customer_id
    || E'","programme":"main","wallet":"points","store":"berlin-1","till":"1","channel"\x3anull,'
    '"business_date":"2026-01-01","occurred_at":"2026-01-01T12\x3a00\x3a00.000000Z","currency":"EUR",'
    '"total_minor"\x3a6639,"lines":['
    '{"line_id":"1","sku":"shoes-42","category":"shoes","quantity":"1","net_minor"\x3a4999,'
    '"discount_minor"\x3a0,"cost_minor"\x3anull,"points"\x3a100},'
    '{"line_id":"2","sku":"socks-3","category":"clothes","quantity":"1","net_minor"\x3a1290,'
    '"discount_minor"\x3a0,"cost_minor"\x3anull,"points"\x3a13},'
    '{"line_id":"3","sku":"laces-1","category"\x3anull,"quantity":"1","net_minor"\x3a350,'
    '"discount_minor"\x3a0,"cost_minor"\x3anull,"points"\x3a3}],'
    '"earned"\x3a116,"points_paid"\x3a0,"coupons":[],"offers":[],"tier":"base","balance":{"spendable":' || spendable
    || E',"pending"\x3a0,"held"\x3a0,"debt"\x3a0,"account_seq":' || seq || E'},"late"\x3afalse}}', 'UTF8')
FROM account;
