"""The writing statement: one INSERT or UPDATE per table, each from arrays, joined as data-modifying CTEs.

A part with nothing to write is left out, so the till's usual purchase plans and runs no more than it needs. Rows that
a part must store are counted: fewer than given means that somebody else stored one of them first, and the statement
undoes itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from regulars_loyalty.adapters.db.arrays import array, cast


@dataclass(frozen=True, slots=True)
class Part:
    """One step of the statement. `columns` are the names and types of the given arrays, in order.

    In `sql`, `{given}` is the relation of the given rows, with their `place`, and `{columns}` their names. A race shows
    in a counted part, which returns one row for each that it stored.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    sql: str
    is_counted: bool = False

    @property
    def names(self) -> str:
        return ", ".join(name for name, _ in self.columns)

    def arrays(self, rows: Sequence[tuple[object, ...]]) -> list[object]:
        """The rows as the statement takes them, column by column."""
        columns = zip(*rows, strict=True)
        return [array(kind, values) for (_, kind), values in zip(self.columns, columns, strict=True)]


def _columns(text: str) -> tuple[tuple[str, str], ...]:
    """Read `name type, name type`."""
    pairs = [column.split() for column in text.split(",")]
    return tuple((name, kind) for name, kind in pairs)


# One part for old and new accounts. Somebody else was first where the owner's account has another id, or was stored
# since it was read.
ACCOUNTS = Part(
    "stored_accounts",
    _columns(
        """account_id uuid, customer_id uuid, programme text, wallet text, seq bigint, fact_no bigint, head bytea,
        spendable bigint, debt bigint, visits bigint, tier text, standings jsonb, newest_at timestamptz,
        calm_since timestamptz, next_due_at timestamptz, recorded_at timestamptz, revision bigint"""
    ),
    """
    INSERT INTO accounts AS account ({columns}) SELECT {columns} FROM {given} ORDER BY place
    ON CONFLICT ON CONSTRAINT accounts_owner DO UPDATE SET
        seq = excluded.seq, fact_no = excluded.fact_no, head = excluded.head, spendable = excluded.spendable,
        debt = excluded.debt, visits = excluded.visits, tier = excluded.tier, standings = excluded.standings,
        newest_at = excluded.newest_at, calm_since = excluded.calm_since, next_due_at = excluded.next_due_at,
        recorded_at = excluded.recorded_at, revision = excluded.revision
    WHERE account.account_id = excluded.account_id AND account.revision = excluded.revision - 1
    """,
    is_counted=True,
)

PURCHASES = Part(
    "stored_purchases",
    _columns(
        """purchase_id uuid, account_id uuid, customer_id uuid, fact_no bigint, programme text, version int,
        store text, till text, business_date date, receipt_no text, occurred_at timestamptz, currency text,
        channel text, paid_in_points_minor bigint, identifier_hash text, known_at timestamptz,
        recorded_at timestamptz, earned bigint, paid bigint, credit bigint, tier text, visit bigint,
        expires_at timestamptz, coupons jsonb, offers jsonb, captured_at timestamptz, sequence_no bigint, client text,
        idempotency_key text, content_hash bytea, answer text, sale_hash bytea"""
    ),
    "INSERT INTO purchases ({columns}) SELECT {columns} FROM {given} ORDER BY place ON CONFLICT DO NOTHING",
    is_counted=True,
)

LINES = Part(
    "stored_lines",
    _columns(
        """purchase_id uuid, line_no int, line_id text, sku text, category text, quantity_milli bigint,
        net_minor bigint, discount_minor bigint, cost_minor bigint, points bigint"""
    ),
    "INSERT INTO purchase_lines ({columns}) SELECT {columns} FROM {given}",
)

FACTS = Part(
    "stored_facts",
    _columns(
        """fact_id uuid, account_id uuid, fact_no bigint, kind text, at timestamptz, known_at timestamptz,
        recorded_at timestamptz, client text, idempotency_key text, content_hash bytea, answer text, purchase_id uuid,
        redemption_id uuid, store text, till text, business_date date, receipt_no text, payload jsonb, details jsonb"""
    ),
    "INSERT INTO facts ({columns}) SELECT {columns} FROM {given} ORDER BY place ON CONFLICT DO NOTHING",
    is_counted=True,
)

LOTS = Part(
    "stored_lots",
    _columns(
        """lot_id uuid, account_id uuid, origin uuid, issued bigint, remaining bigint, activated_at timestamptz,
        expires_at timestamptz"""
    ),
    """
    INSERT INTO lots AS lot ({columns}) SELECT {columns} FROM {given}
    ON CONFLICT (lot_id) DO UPDATE SET issued = excluded.issued, remaining = excluded.remaining
    WHERE (lot.issued, lot.remaining) <> (excluded.issued, excluded.remaining)
    """,
)

POSTINGS = Part(
    "stored_postings",
    _columns(
        """account_id uuid, account_seq bigint, at timestamptz, recorded_at timestamptz, source text, target text,
        points bigint, lot_id uuid, fact_id uuid, cause text, late_fact_id uuid, hash bytea"""
    ),
    "INSERT INTO postings ({columns}) SELECT {columns} FROM {given}",
)

REPRICED = Part(
    "stored_prices",
    _columns(
        """purchase_id uuid, earned bigint, paid bigint, credit bigint, tier text, visit bigint,
        expires_at timestamptz"""
    ),
    """
    UPDATE purchases AS purchase SET earned = given.earned, paid = given.paid, credit = given.credit,
        tier = given.tier, visit = given.visit, expires_at = given.expires_at
    FROM {given} WHERE purchase.purchase_id = given.purchase_id
    """,
)

# What changes of a line once it is stored; NULL leaves it as it is.
CHANGED_LINES = Part(
    "changed_lines",
    _columns("purchase_id uuid, line_no int, points bigint, returned text"),
    """
    UPDATE purchase_lines AS line
    SET points = coalesce(given.points, line.points), returned = coalesce(given.returned, line.returned)
    FROM {given} WHERE line.purchase_id = given.purchase_id AND line.line_no = given.line_no
    """,
)

# Ids are drawn in this order, while the accounts are locked: the relay keeps it.
OUTBOX = Part(
    "stored_outbox",
    _columns("event_id uuid, type text, key text, body bytea"),
    "INSERT INTO outbox ({columns}) SELECT {columns} FROM {given} ORDER BY place",
)


@lru_cache(maxsize=256)
def statement(parts: tuple[Part, ...]) -> str:
    """The statement of these parts. It fails with a serialization failure where a counted one stored too few rows."""
    clauses, checks, taken = [], [], 0
    for part in parts:
        clauses.append(f"{part.name} AS ({_clause(part, taken)})")
        if part.is_counted:
            given = f"cardinality(${taken + 1}{cast(part.columns[0][1])})"
            is_short = f"(SELECT count(*) FROM {part.name}) < {given}"
            checks.append(f"CASE WHEN {is_short} THEN raced('{part.name}') END")
        taken += len(part.columns)
    # Asking for the counts in turn makes PostgreSQL run the parts that can race in this order in every process, and
    # all others after them.
    return f"WITH {', '.join(clauses)} SELECT {', '.join(checks) or 'NULL'}"


def _clause(part: Part, taken: int) -> str:
    arrays = ", ".join(f"${taken + place}{cast(kind)}" for place, (_, kind) in enumerate(part.columns, 1))
    given = f"unnest({arrays}) WITH ORDINALITY AS given ({part.names}, place)"
    clause = part.sql.format(columns=part.names, given=given).strip()
    return f"{clause} RETURNING 1" if part.is_counted else clause
