"""What comes back from Spark to one process: how many customers are alike, never who they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from regulars_scoring.adapters.files.bench import dated, whole
from regulars_scoring.adapters.files.spark.bench import SparkBench
from regulars_scoring.adapters.files.statements import Column

MOST_ROWS = 2_000_000
"""Of the table that spends are fitted to."""
_TOLD_APART = 3
"""Digits of a spend that are kept where there are more."""

_SUMMARIES = """
    SELECT *, days_between(first_day, last_day) AS t_x, days_between(first_day, {as_of}) AS T FROM customers
"""
_ALIKE = """SELECT x, t_x, T, count(*) AS customers FROM summaries GROUP BY x, t_x, T"""
_SPENDS = """
    SELECT x, CAST(repeat_minor AS DOUBLE) AS repeat_minor, count(*) AS customers
    FROM customers WHERE x > 0 AND repeat_minor > 0 GROUP BY x, repeat_minor
"""
# The mean of those who are alike stands for them: what is lost is their variance, a millionth of its square.
_SPENDS_ALIKE = """
    SELECT x, sum(repeat_minor * customers) / sum(customers) AS repeat_minor, sum(customers) AS customers
    FROM spends
    GROUP BY x, floor(log10(repeat_minor)), round(repeat_minor / power(10, floor(log10(repeat_minor)) - {digits}))
"""
_SILENCES = """
    SELECT silence, bought, count(*) AS customers
    FROM (
        SELECT days_between(max(day) FILTER (WHERE is_occasion AND day <= {cut}), {cut}) AS silence,
               count(*) FILTER (WHERE is_occasion AND day > {cut}) AS bought
        FROM days WHERE day <= {end} GROUP BY customer
    ) WHERE silence IS NOT NULL GROUP BY silence, bought
"""
_SAMPLE = """
    SELECT customer, place, day, net, is_occasion FROM days JOIN customers USING (customer) WHERE place % {stride} = 0
"""
_OCCASIONS = """
    SELECT place, days_between(day, {as_of}) AS age FROM sample WHERE is_occasion AND day <= {as_of}
"""
_STEPS = """
    SELECT step, min(value) AS least, max(value) AS greatest
    FROM (
        SELECT value, least({steps}, 1 + {steps} * (2 * below + customers) DIV (2 * {everybody})) AS step FROM ranked
    ) GROUP BY step ORDER BY step
"""


@dataclass(frozen=True, slots=True)
class Alike:
    """So many customers have this x, t_x and T: columns, in the order of these."""

    x: Column
    t_x: Column
    T: Column
    customers: Column


def alike(bench: SparkBench, as_of: date) -> Alike:
    """Makes the table `summaries`, too: the customers with their t_x and T."""
    bench.call("summaries", _SUMMARIES.format(as_of=dated(as_of)))
    columns = [whole(column) for column in bench.columns(_ALIKE).values()]
    order = np.lexsort(columns[2::-1])
    return Alike(*(column[order] for column in columns))


def repeat_spends(bench: SparkBench) -> tuple[Column, Column, Column]:
    """x, spend on repeat occasions in minor units, and how many have them: of those with any of both.

    Spends are whole, or told apart to one part in a thousand where there are too many of them.
    """
    bench.keep("spends", _SPENDS)
    (found,) = bench.row("SELECT count(*) FROM spends")
    select = "SELECT * FROM spends" if found <= MOST_ROWS else _SPENDS_ALIKE.format(digits=_TOLD_APART)
    x, spend, customers = bench.columns(select).values()
    order = np.lexsort((spend, x))
    return whole(x)[order], spend.astype(np.float64)[order], whole(customers)[order]


def silences(bench: SparkBench, cut: date, end: date) -> tuple[Column, Column, Column]:
    """How many days nothing had been bought at the cut, how often something was until the end, and by how many."""
    silence, bought, customers = bench.columns(_SILENCES.format(cut=dated(cut), end=dated(end))).values()
    return whole(silence), whole(bought), whole(customers)


def take_sample(bench: SparkBench, everybody: int, at_most: int) -> None:
    """Make the table `sample`: the days of every k-th customer, such that there are no more than so many."""
    bench.keep("sample", _SAMPLE.format(stride=max(1, -(-everybody // at_most))))


def occasions(bench: SparkBench, as_of: date) -> tuple[Column, Column]:
    """As `customers.occasions`, of the sample."""
    columns = bench.columns(_OCCASIONS.format(as_of=dated(as_of)))
    return whole(columns["place"]), whole(columns["age"])


def steps(bench: SparkBench, value: str, table: str, everybody: int, count: int) -> list[tuple[int, float, float]]:
    """So many steps of about as many customers each, equal values together: their numbers, least and greatest values.

    min(count, 1 + floor(count (below + half of the equal) / n)); steps without a value are left out.
    """
    grouped = f"SELECT {value} AS value, count(*) AS customers FROM {table} GROUP BY {value}"
    bench.running(grouped, "value", "customers", "below").createOrReplaceTempView("ranked")
    return [
        (int(step), least, most) for step, least, most in bench.rows(_STEPS.format(steps=count, everybody=everybody))
    ]
