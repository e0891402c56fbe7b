"""Programmes, accounts, purchases, the other facts, lots and the ledger; and the tables of the kit.

No foreign keys between them: everything a unit stores comes from one statement under the account's lock, and a check
per line and posting would be the till's time.
"""

from __future__ import annotations

from alembic import op

from regulars_kit import inbox, jobs, outbox

revision = "0001"
down_revision = None

_DDL = (
    """
    CREATE TABLE programmes (
        code text NOT NULL,
        number integer NOT NULL,
        effective_from date NOT NULL,
        document jsonb NOT NULL,
        recorded_at timestamptz NOT NULL,
        PRIMARY KEY (code, number)
    )
    """,
    # The customer is missing where nobody holds the identifier yet: the row is what its first purchases and the one
    # who links it meet on.
    """
    CREATE TABLE identifiers (
        identifier_hash text PRIMARY KEY,
        customer_id uuid
    )
    """,
    # Every purchase updates its account's row; room in the page keeps that update out of the indexes (HOT).
    """
    CREATE TABLE accounts (
        account_id uuid PRIMARY KEY,
        customer_id uuid,
        programme text NOT NULL,
        wallet text NOT NULL,
        seq bigint NOT NULL,
        fact_no bigint NOT NULL,
        head bytea NOT NULL,
        spendable bigint NOT NULL,
        debt bigint NOT NULL,
        visits bigint NOT NULL,
        tier text,
        standings jsonb NOT NULL,
        newest_at timestamptz,
        calm_since timestamptz,
        next_due_at timestamptz,
        recorded_at timestamptz NOT NULL,
        CONSTRAINT accounts_owner UNIQUE (customer_id, programme, wallet),
        CONSTRAINT accounts_debt_or_points CHECK (spendable >= 0 AND debt >= 0 AND (spendable = 0 OR debt = 0))
    ) WITH (fillfactor = 70)
    """,
    # It moves with an account's first lot and when time has passed, not with every purchase.
    "CREATE INDEX accounts_due ON accounts (next_due_at) WHERE next_due_at IS NOT NULL",
    """
    CREATE TABLE purchases (
        purchase_id uuid PRIMARY KEY,
        account_id uuid,
        customer_id uuid,
        fact_no bigint,
        programme text NOT NULL,
        version integer NOT NULL,
        store text NOT NULL,
        till text NOT NULL,
        business_date date NOT NULL,
        receipt_no text NOT NULL,
        occurred_at timestamptz NOT NULL,
        currency text NOT NULL,
        channel text,
        paid_in_points_minor bigint NOT NULL,
        identifier_hash text,
        known_at timestamptz,
        recorded_at timestamptz NOT NULL,
        earned bigint NOT NULL,
        paid bigint NOT NULL,
        credit bigint NOT NULL,
        tier text,
        visit bigint NOT NULL,
        expires_at timestamptz,
        coupons jsonb NOT NULL,
        offers jsonb NOT NULL,
        captured_at timestamptz,
        sequence_no bigint,
        client text NOT NULL,
        idempotency_key text,
        content_hash bytea NOT NULL,
        answer text NOT NULL,
        sale_hash bytea NOT NULL,
        CONSTRAINT purchases_receipt UNIQUE (store, till, business_date, receipt_no)
    )
    """,
    "CREATE UNIQUE INDEX purchases_key ON purchases (client, idempotency_key) WHERE idempotency_key IS NOT NULL",
    "CREATE INDEX purchases_account ON purchases (account_id, fact_no) WHERE account_id IS NOT NULL",
    """
    CREATE INDEX purchases_unclaimed ON purchases (identifier_hash)
    WHERE account_id IS NULL AND identifier_hash IS NOT NULL
    """,
    # `returned` is an exact fraction of the line, as Python writes it: '0', '1/3', '1'.
    """
    CREATE TABLE purchase_lines (
        purchase_id uuid NOT NULL,
        line_no integer NOT NULL,
        line_id text NOT NULL,
        sku text NOT NULL,
        category text,
        quantity_milli bigint NOT NULL,
        net_minor bigint NOT NULL,
        discount_minor bigint,
        cost_minor bigint,
        points bigint NOT NULL,
        returned text NOT NULL DEFAULT '0',
        PRIMARY KEY (purchase_id, line_no)
    )
    """,
    """
    CREATE TABLE facts (
        fact_id uuid PRIMARY KEY,
        arrival bigint GENERATED ALWAYS AS IDENTITY,
        account_id uuid,
        fact_no bigint,
        kind text NOT NULL,
        at timestamptz NOT NULL,
        known_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        client text NOT NULL,
        idempotency_key text,
        content_hash bytea NOT NULL,
        answer text NOT NULL,
        purchase_id uuid,
        redemption_id uuid,
        store text,
        till text,
        business_date date,
        receipt_no text,
        payload jsonb NOT NULL,
        details jsonb NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX facts_key ON facts (client, idempotency_key) WHERE idempotency_key IS NOT NULL",
    """
    CREATE UNIQUE INDEX facts_receipt ON facts (store, till, business_date, receipt_no)
    WHERE receipt_no IS NOT NULL
    """,
    "CREATE INDEX facts_account ON facts (account_id, fact_no) WHERE account_id IS NOT NULL",
    "CREATE INDEX facts_unclaimed ON facts (purchase_id) WHERE account_id IS NULL AND purchase_id IS NOT NULL",
    "CREATE INDEX facts_redemption ON facts (redemption_id) WHERE redemption_id IS NOT NULL",
    """
    CREATE TABLE lots (
        lot_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        origin uuid NOT NULL,
        issued bigint NOT NULL,
        remaining bigint NOT NULL,
        activated_at timestamptz NOT NULL,
        expires_at timestamptz,
        CONSTRAINT lots_within_what_was_issued CHECK (remaining BETWEEN 0 AND issued)
    ) WITH (fillfactor = 90)
    """,
    "CREATE INDEX lots_account ON lots (account_id, lot_id)",
    """
    CREATE TABLE postings (
        account_id uuid NOT NULL,
        account_seq bigint NOT NULL,
        at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        source text NOT NULL,
        target text NOT NULL,
        points bigint NOT NULL CHECK (points > 0),
        lot_id uuid,
        fact_id uuid NOT NULL,
        cause text NOT NULL,
        late_fact_id uuid,
        hash bytea NOT NULL,
        PRIMARY KEY (account_id, account_seq)
    )
    """,
    "CREATE INDEX postings_lot ON postings (lot_id) WHERE lot_id IS NOT NULL",
    # What a fact spent is asked when it is undone; what a purchase earned is found by its lot.
    "CREATE INDEX postings_spend ON postings (fact_id) WHERE cause IN ('redemption', 'tender', 'adjustment')",
    """
    CREATE FUNCTION postings_only_grow() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the ledger is never rewritten'; END $$
    """,
    """
    CREATE TRIGGER postings_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
    FOR EACH STATEMENT EXECUTE FUNCTION postings_only_grow()
    """,
)


def upgrade() -> None:
    for statement in (*_DDL, *outbox.DDL, *inbox.DDL, *jobs.DDL):
        op.execute(statement)
