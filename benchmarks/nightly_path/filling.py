"""Customers in scoring's database as the events of their purchases would have left them, in a few statements."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from hashlib import md5
from uuid import UUID

import numpy as np

from chain_path.running import Running
from purchase_path.measuring import Failed
from purchase_path.shop import CODE, CURRENCY, PROGRAMME
from scoring_path.simulating import FEW, purchases_of

AT_ONCE = 100_000
PRODUCTS = 500

Sold = tuple[int, int, int]
"""A customer's number, how many days before yesterday, minor units."""

# As `customer_id` below.
_ID = "('0198' || lpad(to_hex(customer), 8, '0') || '70008' || substr(md5(customer::text), 1, 15))::uuid"
_SOLD = "CREATE UNLOGGED TABLE sold (customer integer, age integer, minor bigint)"
_FILL = (
    "ALTER TABLE sold ADD purchase_id uuid DEFAULT uuidv7()",
    f"""
    INSERT INTO purchases (purchase_id, customer_id, day, currency, total_minor, programme, costed_minor, cost_minor,
                           earned)
    SELECT purchase_id, {_ID}, current_date - 1 - age, '{CURRENCY}', minor, '{CODE}', 0, 0,
           minor / 100
    FROM sold
    """,
    # The first line is of a product that some like, the others of any.
    f"""
    INSERT INTO goods (purchase_id, skus, net_minor, categories)
    SELECT purchase_id, ARRAY['a' || customer % 50, 'b' || hash % {PRODUCTS}, 'c' || hash / 7 % {PRODUCTS}],
           ARRAY[minor - 2 * (minor / 3), minor / 3, minor / 3], ARRAY['a', 'b', 'c']
    FROM (SELECT *, abs(hashtext(purchase_id::text)::bigint) AS hash FROM sold) AS sold
    """,
    """
    INSERT INTO days (customer_id, day, net_minor, open_purchases)
    SELECT customer_id, day, sum(total_minor), count(*) FROM purchases GROUP BY customer_id, day
    """,
    """
    INSERT INTO customers (id, version, occasions, total_minor, first_day, last_day, first_net_minor)
    SELECT customer_id, count(*), count(*), sum(net_minor), min(day), max(day),
           (array_agg(net_minor ORDER BY day))[1]
    FROM days GROUP BY customer_id ORDER BY customer_id
    """,
    f"INSERT INTO house (currency) VALUES ('{CURRENCY}')",
    "DROP TABLE sold",
    "VACUUM ANALYZE",
)


def customer_id(number: int) -> UUID:
    """The id of customer 1 to 4,294,967,295: of version 7, as registering gives them, so that later ones sort later."""
    return UUID(f"0198{number:08x}70008{md5(str(number).encode()).hexdigest()[:15]}")


def fill(shop: Running, customers: int) -> None:
    """Customers 1 to `customers` who buy much as at CDNOW; their programme is published. Raises `Failed`."""
    with shop.client() as client:
        client.put(f"/v1/programmes/{CODE}", json=PROGRAMME).raise_for_status()
    asyncio.run(_fill(shop, customers))


def some_of(customers: int, number: int, chance: np.random.Generator) -> list[UUID]:
    """So many of them, each at most once."""
    return [customer_id(int(one) + 1) for one in chance.choice(customers, number, replace=False)]


async def _fill(shop: Running, customers: int) -> None:
    async with shop.connected("scoring") as connection:
        if await connection.fetchval("SELECT count(*) FROM customers"):
            raise Failed("the shop has customers already")
        await connection.execute(_SOLD)
        for start in range(0, customers, AT_ONCE):
            await connection.copy_records_to_table("sold", records=_sold(start, min(AT_ONCE, customers - start)))
        for statement in _FILL:
            await connection.execute(statement)


def _sold(start: int, customers: int) -> Iterator[Sold]:
    made = purchases_of(customers, FEW, np.random.default_rng(start))
    number, age = made.customer + start + 1, made.T[made.customer] - made.day
    return zip(number.tolist(), age.tolist(), made.minor.tolist(), strict=True)
