"""What customers brought and cost, priced where it is read: each purchase, return and cost is an entry of a day.

Every entry is rounded by itself, half away from zero, so that sums over any groups of them add up to the whole.
Nothing is kept of it: terms that come after the purchases they are for count like others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from regulars_kit.values import CustomerId
from regulars_scoring.adapters.db.session import Row, Session
from regulars_scoring.domain.profit import RECENT_DAYS, Past, Profit
from regulars_scoring.domain.segment_profit import CellProfit

# In another currency goods and messages count no money; points are worth what their programme says in ours.
_FACTS = """
    SELECT customer_id, day, programme,
           CASE WHEN currency = $1 THEN total_minor - returned_minor ELSE 0 END AS net,
           CASE WHEN currency = $1 AND costed_minor IS NOT NULL THEN costed_minor - returned_costed_minor ELSE 0 END
               AS costed,
           CASE WHEN currency = $1 AND cost_minor IS NOT NULL THEN cost_minor - returned_cost_minor ELSE 0 END AS cost,
           CASE WHEN earned IS NOT NULL THEN earned - taken_back ELSE 0 END AS points,
           0::bigint AS campaign, 0::bigint AS acquisition
    FROM purchases WHERE customer_id IS NOT NULL AND total_minor IS NOT NULL
    UNION ALL
    SELECT customer_id, day, programme, -amount_minor, 0, 0, 0, 0, 0
    FROM returns WHERE purchase_id IS NULL AND customer_id IS NOT NULL AND currency = $1
    UNION ALL
    SELECT customer_id, day, programme, 0, 0, 0, points, 0, 0 FROM points
    UNION ALL
    SELECT customer_id, day, NULL, 0, 0, 0, 0, CASE kind WHEN 'message' THEN amount_minor ELSE 0 END,
           CASE kind WHEN 'acquisition' THEN amount_minor ELSE 0 END
    FROM costs WHERE currency = $1
"""
_TERMS = """
    SELECT programme, margin_over, margin_under,
           (point_minor -> $1 ->> 0)::numeric AS point_over, (point_minor -> $1 ->> 1)::numeric AS point_under,
           CASE WHEN lag(version) OVER versions IS NULL THEN '-infinity' ELSE effective_from END AS since,
           coalesce(lead(effective_from) OVER versions, 'infinity') AS until
    FROM (SELECT DISTINCT ON (programme, effective_from) * FROM terms
          ORDER BY programme, effective_from, version DESC) AS in_force
    WINDOW versions AS (PARTITION BY programme ORDER BY effective_from)
"""


def _times(amount: str, over: str, under: str) -> str:
    """The amount times a fraction, exactly, rounded half away from zero; NULL without one."""
    return f"sign({amount}) * div(2 * abs({amount}) * {over} + {under}, 2 * {under})"


# Read once: joined as a query of its own it may be reckoned for every fact.
_ENTRIES = f"""
    WITH terms_of AS MATERIALIZED ({_TERMS})
    SELECT customer_id, day, net AS revenue_minor, costed AS costed_minor,
           CASE WHEN margin_over IS NULL THEN 0 ELSE net - costed END AS rated_minor,
           costed - cost + coalesce({_times("(net - costed)", "margin_over", "margin_under")}, net - costed)
               AS margin_minor,
           coalesce({_times("points", "point_over", "point_under")}, 0) AS points_cost_minor,
           campaign AS campaign_cost_minor, acquisition AS acquisition_cost_minor
    FROM ({_FACTS}) AS facts
    LEFT JOIN terms_of USING (programme)
    WHERE day >= since AND day < until OR since IS NULL
"""
_SUMS = ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in Profit.__dataclass_fields__)

SUMMED = f"SELECT {_SUMS} FROM ({_ENTRIES}) AS entries WHERE day <= $2::date"
"""Of everybody, in the currency $1, until the day $2."""

_PAST = f"""
    SELECT {_SUMS}, min(day) AS since,
           coalesce(sum(campaign_cost_minor) FILTER (WHERE day > $2::date - {RECENT_DAYS}), 0)::bigint
               AS recent_campaign_minor
    FROM ({_ENTRIES}) AS entries WHERE day <= $2::date AND customer_id = ANY($3::uuid[])
"""
# As the routes of the published figures have it: who has given everything back has no score.
_BY_CELL = f"""
    SELECT date_trunc('month', day)::date AS month, recency, frequency, {_SUMS}
    FROM ({_ENTRIES}) AS entries
    LEFT JOIN customer_alias AS alias ON alias.id = entries.customer_id
    LEFT JOIN customers ON customers.id = coalesce(alias.surviving_id, entries.customer_id) AND customers.occasions > 0
    WHERE day BETWEEN $2::date AND $3::date GROUP BY 1, 2, 3
"""
# A plan made while tables were small, and kept when they are not, reads all customers once for each entry.
_PLAN_ANEW = "SET LOCAL plan_cache_mode = force_custom_plan"
_BUYERS = """
    SELECT recency, frequency, count(*) AS buyers FROM customers
    WHERE EXISTS (SELECT FROM days WHERE customer_id = customers.id AND open_purchases > 0
                  AND day BETWEEN $1::date AND $2::date)
    GROUP BY recency, frequency
"""


def profit_in(row: Row) -> Profit:
    return Profit(**{name: row[name] for name in Profit.__dataclass_fields__})


class SqlMoney:
    """The reads of money within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def past(self, ids: Sequence[CustomerId], currency: str, until: date) -> Past:
        (row,) = await self._session.fetch(_PAST, currency, until, ids)
        known_days = 0 if row["since"] is None else (until - row["since"]).days
        return Past(profit_in(row), row["recent_campaign_minor"], known_days)

    async def by_cell(self, currency: str, first: date, last: date) -> Sequence[CellProfit]:
        await self._session.execute(_PLAN_ANEW)
        rows = await self._session.fetch(_BY_CELL, currency, first, last)
        return [CellProfit(row["month"], row["recency"], row["frequency"], profit_in(row)) for row in rows]

    async def buyers(self, first: date, last: date) -> Sequence[tuple[int | None, int | None, int]]:
        rows = await self._session.fetch(_BUYERS, first, last)
        return [(row["recency"], row["frequency"], row["buyers"]) for row in rows]
