"""Customers who buy as MBG/NBD and Gamma-Gamma say, over two years: their states, or every one of their purchases.

`python -m scoring_path.simulating states|purchases SIZE TARGET`, in a process of its own: a process that is started
by a large one is taken to be as large.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

DAYS = 730
COLUMNS = ("x", "t_x", "T", "repeat_minor", "total_minor")
AT_ONCE = 1_000_000
_SPENDING = (6.25, 3.74, 15.44)
"""p, q, v, as of CDNOW."""


@dataclass(frozen=True, slots=True)
class Buying:
    """r, alpha, a, b of MBG/NBD; days."""

    r: float
    alpha: float
    a: float
    b: float


FEW = Buying(0.525, 43.3, 0.891, 1.614)
"""Much as at CDNOW: three customers in five never come again."""
MANY = Buying(1.2, 40.0, 0.45, 7.5)
"""Some ten purchases a customer."""


@dataclass(frozen=True, slots=True)
class Purchases:
    """One row a purchase: whose, how many days after their first, for how much. `T`, by customer: days since that."""

    customer: Ints
    day: Ints
    minor: Ints
    T: Ints


def purchases_of(customers: int, buying: Buying, random: np.random.Generator) -> Purchases:
    rate, leaving = random.gamma(buying.r, 1.0 / buying.alpha, customers), random.beta(buying.a, buying.b, customers)
    T = random.integers(1, DAYS + 1, customers)
    lifetime = random.geometric(leaving)
    who, at, made = np.arange(customers), np.zeros(customers), np.ones(customers, np.int64)
    whose, days = [who], [np.zeros(customers, np.int64)]
    while who.size:
        who = who[made[who] < lifetime[who]]
        at[who] += random.exponential(1.0 / np.maximum(rate[who], 1e-9))
        who = who[at[who] < T[who]]
        made[who] += 1
        whose.append(who)
        days.append(np.ceil(at[who]).astype(np.int64))
    customer = np.concatenate(whose)
    p, q, v = _SPENDING
    spent = random.gamma(p, 1.0 / random.gamma(q, 1.0 / v, customers)[customer])
    return Purchases(customer, np.concatenate(days), np.maximum(1, np.rint(100.0 * spent)).astype(np.int64), T)


def states_of(purchases: Purchases) -> tuple[Ints, ...]:
    """The columns by their names above; purchases of the same day are one occasion."""
    customers, is_first = purchases.T.size, purchases.day == 0
    width = DAYS + 1
    occasions = np.unique(purchases.customer * width + purchases.day)
    x = np.bincount(occasions // width, minlength=customers) - 1
    # Sorted, so that the last one of each customer is the latest.
    t_x = np.zeros(customers, np.int64)
    t_x[occasions // width] = occasions % width
    total = _sums(purchases.customer, purchases.minor, customers)
    return x, t_x, purchases.T, total - _sums(purchases.customer[is_first], purchases.minor[is_first], customers), total


def _sums(customer: Ints, minor: Ints, customers: int) -> Ints:
    """Exact below 2**53."""
    return np.bincount(customer, minor, customers).astype(np.int64)


def write_states(customers: int, folder: Path) -> None:
    """A file a column, whole numbers of 64 bits."""
    folder.mkdir(parents=True)
    files = [np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.int64, (customers,)) for name in COLUMNS]
    for seed, start in enumerate(range(0, customers, AT_ONCE)):
        some = purchases_of(min(AT_ONCE, customers - start), FEW, np.random.default_rng(seed))
        for file, column in zip(files, states_of(some), strict=True):
            file[start : start + column.size] = column


def write_purchases(purchases: int, target: Path) -> None:
    """A row a purchase, by day: a number for the customer, an instant, an amount."""
    customer, day, minor = (np.concatenate(column)[:purchases] for column in zip(*_batches(purchases), strict=True))
    order = np.argsort(day, kind="stable")
    with duckdb.connect() as connection:
        connection.register("purchases", {"customer": customer[order], "day": day[order], "minor": minor[order]})
        connection.execute(f"""
            COPY (SELECT customer, TIMESTAMP '2024-01-01' + to_days(CAST(day AS INTEGER)) AS date,
                         CAST(minor AS DOUBLE) / 100 AS amount FROM purchases)
            TO '{target}' (FORMAT PARQUET)
        """)


def _batches(purchases: int) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Customers by the hundred thousand, until there are purchases enough."""
    made = batch = 0
    while made < purchases:
        some = purchases_of(AT_ONCE // 10, MANY, np.random.default_rng(batch))
        yield some.customer + batch * (AT_ONCE // 10), DAYS - some.T[some.customer] + some.day, some.minor
        made, batch = made + some.day.size, batch + 1


def main(kind: str, size: str, target: str) -> None:
    {"states": write_states, "purchases": write_purchases}[kind](int(size), Path(target))


if __name__ == "__main__":
    main(*sys.argv[1:])
