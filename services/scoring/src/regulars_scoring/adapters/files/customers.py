"""The customers of a ledger: their buying states, and what they did before and after a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from regulars_scoring.adapters.files.bench import dated, whole
from regulars_scoring.adapters.files.statements import Column, Statements
from regulars_scoring.domain.cohorts import CohortCell, Span

# Days without an occasion as NULL, which the aggregates pass over: quicker than a filter of its own for each of them.
_CUSTOMERS = """
    SELECT *
    FROM (
        SELECT customer, count(occasion) - 1 AS x, min(occasion) AS first_day, max(occasion) AS last_day,
               CAST(sum(net) - min_by(net, occasion) AS BIGINT) AS repeat_minor, CAST(sum(net) AS BIGINT) AS total_minor
        FROM (SELECT customer, day, net, CASE WHEN is_occasion THEN day END AS occasion FROM days)
        WHERE day <= {as_of} GROUP BY customer
    ) WHERE first_day IS NOT NULL
"""
_NEVER_KEPT = """
    SELECT count(DISTINCT customer) FROM days
    WHERE day <= ? AND NOT is_occasion AND NOT EXISTS (SELECT 1 FROM customers c WHERE c.customer = days.customer)
"""
_STATES = """
    SELECT x, days_between(first_day, last_day) AS t_x, days_between(first_day, CAST(? AS DATE)) AS T,
           repeat_minor, total_minor
    FROM customers ORDER BY place
"""
_BEFORE_AND_AFTER = """
    SELECT x, days_between(first_day, last_day) AS t_x, days_between(first_day, {cut}) AS T, repeat_minor, total_minor,
           bought, spent_minor
    FROM (
        SELECT count(*) FILTER (WHERE is_occasion AND day <= {cut}) - 1 AS x,
               min(day) FILTER (WHERE is_occasion AND day <= {cut}) AS first_day,
               max(day) FILTER (WHERE is_occasion AND day <= {cut}) AS last_day,
               CAST(sum(net) FILTER (WHERE day <= {cut}) - min_by(net, day) FILTER (WHERE is_occasion) AS BIGINT)
               AS repeat_minor,
               CAST(sum(net) FILTER (WHERE day <= {cut}) AS BIGINT) AS total_minor,
               count(*) FILTER (WHERE is_occasion AND day > {cut}) AS bought,
               CAST(coalesce(sum(net) FILTER (WHERE day > {cut}), 0) AS BIGINT) AS spent_minor
        FROM {days} WHERE day <= {end} GROUP BY customer
    ) WHERE first_day IS NOT NULL
"""
_OCCASIONS = """
    SELECT place, days_between(day, CAST(? AS DATE)) AS age
    FROM days JOIN customers USING (customer) WHERE is_occasion AND day <= ?
"""
_NEWCOMERS = """
    SELECT days_between(CAST(? AS DATE), first_day) AS place, count(*) AS found
    FROM customers WHERE first_day <= ? GROUP BY 1
"""
_REPEATS = """
    SELECT days_between(CAST(? AS DATE), day) AS place, count(*) AS found FROM days JOIN customers USING (customer)
    WHERE is_occasion AND first_day <= ? AND day > first_day AND day <= ? GROUP BY 1
"""
_COHORTS = """
    SELECT began, age, count(*) FILTER (WHERE is_active), CAST(sum(net) AS BIGINT)
    FROM (
        SELECT {began} AS began, {now} - {began} AS age, bool_or(is_occasion) AS is_active, sum(net) AS net
        FROM days JOIN customers USING (customer) WHERE day <= ? GROUP BY place, 1, 2
    ) GROUP BY 1, 2
"""
_PERIODS = {
    "month": "(12 * year({day}) + month({day}) - 1)",
    "quarter": "(4 * year({day}) + quarter({day}) - 1)",
    "year": "year({day})",
}


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Columns of the states at the cut, and of what came after it: occasions and net minor units; and by day, from the
    ledger's first to the last: how many began until the cut, and the occasions of those who had begun.
    """

    states: tuple[Column, ...]
    bought: Column
    spent_minor: Column
    newcomers: Column
    repeats: Column


def gather(bench: Statements, as_of: date) -> tuple[int, int]:
    """Make the table `customers`, as of the end of a day; says how many there are, and how many kept no purchase."""
    bench.keep_in_order("customers", _CUSTOMERS.format(as_of=dated(as_of)), "customer")
    (customers,) = bench.row("SELECT count(*) FROM customers")
    (never_kept,) = bench.row(_NEVER_KEPT, [as_of])
    return int(customers), int(never_kept)


def states(bench: Statements, as_of: date) -> tuple[Column, ...]:
    """x, t_x, T, repeat and total minor units of the table's customers, in its order."""
    return tuple(whole(column) for column in bench.columns(_STATES, [as_of]).values())


def occasions(bench: Statements, as_of: date) -> tuple[Column, Column]:
    """Of each occasion until the day the customer's place in the table, and how many days ago it was."""
    columns = bench.columns(_OCCASIONS, [as_of, as_of])
    return whole(columns["place"]), whole(columns["age"])


def aftermath(bench: Statements, first: date, cut: date, end: date, days_of: str = "days") -> Aftermath:
    """What is known of those who had bought by the cut, at the cut and in the days after it until the end.

    `days_of` is the table of the days of those who are looked at, everybody's or a sample's.
    """
    statement = _BEFORE_AND_AFTER.format(cut=dated(cut), end=dated(end), days=days_of)
    *before, bought, spent = bench.columns(statement).values()
    days = (end - first).days + 1
    return Aftermath(
        states=tuple(whole(column) for column in before),
        bought=whole(bought),
        spent_minor=whole(spent),
        newcomers=_by_day(bench.columns(_NEWCOMERS, [first, cut]), days),
        repeats=_by_day(bench.columns(_REPEATS, [first, cut, end]), days),
    )


def _by_day(found: dict[str, Column], days: int) -> Column:
    counts = np.zeros(days, np.int64)
    counts[whole(found["place"])] = whole(found["found"])
    return counts


def cohorts(bench: Statements, span: Span, as_of: date) -> list[CohortCell]:
    """Customers by the period of their first occasion and the periods since, up to a day.

    What somebody gave back before their first occasion is in their first period.
    """
    began, now = (_PERIODS[span].format(day=day) for day in ("first_day", "greatest(day, first_day)"))
    return [CohortCell(*row) for row in bench.rows(_COHORTS.format(began=began, now=now), [as_of])]
