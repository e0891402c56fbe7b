"""What receipts hold, and what the last run found in them."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_DDL = (
    # return_id NULL: what was sold; else what came back of it. Never changed, so that no order shows in it.
    # categories NULL: none was told.
    """
    CREATE TABLE goods (
        purchase_id uuid NOT NULL,
        return_id uuid,
        skus text[] NOT NULL,
        net_minor bigint[] NOT NULL,
        categories text[],
        UNIQUE NULLS NOT DISTINCT (purchase_id, return_id)
    )
    """,
    "CREATE INDEX purchases_of_customer ON purchases (customer_id)",
    # The three tables of one run, replaced by the next in one commit. The first has one row.
    """
    CREATE TABLE baskets_counted (
        is_ours boolean PRIMARY KEY DEFAULT true CHECK (is_ours),
        run_id uuid NOT NULL,
        since date NOT NULL,
        as_of date NOT NULL,
        currency text,
        baskets bigint NOT NULL,
        oversized bigint NOT NULL
    )
    """,
    """
    CREATE TABLE basket_products (
        sku text PRIMARY KEY,
        category text,
        baskets bigint NOT NULL,
        usual_minor bigint
    )
    """,
    "CREATE INDEX basket_products_by_baskets ON basket_products (baskets DESC, sku)",
    """
    CREATE TABLE basket_rules (
        sku text NOT NULL,
        other text NOT NULL,
        together bigint NOT NULL,
        confidence_low double precision NOT NULL,
        PRIMARY KEY (sku, other)
    )
    """,
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)
