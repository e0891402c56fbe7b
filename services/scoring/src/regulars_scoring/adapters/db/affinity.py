"""What the last run found in the baskets, as it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from regulars_kit.values import CustomerId
from regulars_scoring.adapters.db.goods import RECEIPTS, receipt_in
from regulars_scoring.adapters.db.session import Row, Session
from regulars_scoring.domain.affinity import Category, Counted, Offer, Product, Rule
from regulars_scoring.domain.goods import Receipt

_COUNTED = "SELECT run_id, since, as_of, currency, baskets, oversized FROM baskets_counted"
_PRODUCT = "SELECT * FROM basket_products WHERE sku = $1"
_OF_CUSTOMER = f"{RECEIPTS} AND purchases.customer_id = ANY($1::uuid[]) ORDER BY purchases.day, purchases.purchase_id"
_COLUMNS = ("sku", "category", "baskets", "usual_minor")
_RULE = ", ".join(f"{side}.{column} AS {side}_{column}" for side in ("one", "other") for column in _COLUMNS)
_PRODUCTS = """
    JOIN basket_products AS one ON one.sku = rules.sku JOIN basket_products AS other ON other.sku = rules.other,
    baskets_counted AS counted
"""
_RULES = f"""
    SELECT {_RULE}, together, counted.baskets
    FROM basket_rules AS rules {_PRODUCTS}
    WHERE rules.sku = $1 ORDER BY confidence_low / other.baskets DESC, other.sku LIMIT $2
"""
# The surest rule for each product. Of arrays that may be long, joins are quicker than ANY.
_NEXT_BEST = f"""
    WITH surest AS (
        SELECT DISTINCT ON (rules.other) rules.*
        FROM basket_rules AS rules JOIN unnest($1::text[]) AS owned (sku) USING (sku)
        WHERE NOT EXISTS (SELECT FROM unnest($2::text[]) AS known (sku) WHERE known.sku = rules.other)
        ORDER BY rules.other, confidence_low DESC, rules.sku
    )
    SELECT {_RULE}, together, counted.baskets
    FROM surest AS rules {_PRODUCTS}
    ORDER BY confidence_low * other.usual_minor DESC NULLS LAST, other.sku LIMIT $3
"""
_BEST_SELLERS = """
    SELECT * FROM basket_products AS product
    WHERE NOT EXISTS (SELECT FROM unnest($1::text[]) AS known (sku) WHERE known.sku = product.sku)
    ORDER BY baskets DESC, sku LIMIT $2
"""
_CATEGORIES = """
    SELECT category AS name, count(*) AS products, sum(baskets)::bigint AS sold FROM basket_products
    WHERE category IS NOT NULL AND category <> ALL ($2::text[])
    GROUP BY category HAVING count(*) FILTER (WHERE sku IN (SELECT unnest($1::text[]))) = 0
    ORDER BY sold DESC, name LIMIT $3
"""


class SqlAffinity:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def counted(self) -> Counted | None:
        row = await self._session.first(_COUNTED)
        return None if row is None else Counted(**row)

    async def product(self, sku: str) -> Product | None:
        row = await self._session.first(_PRODUCT, sku)
        return None if row is None else Product(**row)

    async def rules(self, sku: str, limit: int) -> Sequence[Rule]:
        return [_rule_in(row) for row in await self._session.fetch(_RULES, sku, limit)]

    async def receipts(self, ids: Sequence[CustomerId]) -> Sequence[Receipt]:
        rows = await self._session.fetch(_OF_CUSTOMER, ids)
        return [receipt_in(row) for row in rows]

    async def next_best(self, owned: Collection[str], known: Collection[str], limit: int) -> Sequence[Offer]:
        return [Offer(_rule_in(row)) for row in await self._session.fetch(_NEXT_BEST, list(owned), list(known), limit)]

    async def best_sellers(self, known: Collection[str], limit: int) -> Sequence[Product]:
        return [Product(**row) for row in await self._session.fetch(_BEST_SELLERS, list(known), limit)]

    async def categories(self, known: Collection[str], told: Collection[str], limit: int) -> Sequence[Category]:
        rows = await self._session.fetch(_CATEGORIES, list(known), list(told), limit)
        return [Category(**row) for row in rows]


def _rule_in(row: Row) -> Rule:
    one, other = (Product(*(row[f"{side}_{column}"] for column in _COLUMNS)) for side in ("one", "other"))
    return Rule(one, other, row["together"], row["baskets"])
