"""Who is overdue, as `domain.cycle` has it: a customer's own gaps stay with them, those of the segments are counted."""

from __future__ import annotations

from datetime import date

from regulars_scoring.adapters.files.bench import dated, literal, whole
from regulars_scoring.adapters.files.statements import Column, Statements
from regulars_scoring.domain.cycle import FEWEST_GAPS, Cycles

_GAPS = """
    SELECT customer, gap
    FROM (
        SELECT customer, days_between(lag(day) OVER (PARTITION BY customer ORDER BY day), day) AS gap
        FROM days WHERE is_occasion AND day <= {as_of}
    ) WHERE gap IS NOT NULL
"""
_OF_SEGMENTS = """
    SELECT segment, gap, count(*) AS gaps FROM gaps JOIN valued USING (customer) GROUP BY segment, gap
"""
# The silence is above the 90th percentile by nearest rank just when nine tenths of the gaps are shorter than it.
_OF_CUSTOMERS = """
    SELECT customer, 10 * count(*) FILTER (WHERE gap < T - t_x) >= 9 * count(*) AS is_overdue_by_own
    FROM gaps JOIN valued USING (customer) GROUP BY customer HAVING count(*) >= {fewest}
"""
_FLAGGED = """
    SELECT *, coalesce(is_overdue_by_own, {by_others}) AS is_overdue
    FROM placed LEFT JOIN own_cycles USING (customer)
"""


def gaps_alike(bench: Statements, as_of: date) -> tuple[list[str], Column, Column]:
    """A segment, a gap in days, and how often its customers had such a one; makes the table `gaps`, too."""
    bench.keep("gaps", _GAPS.format(as_of=dated(as_of)))
    segment, gap, gaps = bench.columns(_OF_SEGMENTS).values()
    return segment.tolist(), whole(gap), whole(gaps)


def flag_overdue(bench: Statements, limits: Cycles) -> None:
    """Make the table `flagged`: who is placed, with what `adapters.engine.gaps.are_overdue` says of them."""
    bench.call("own_cycles", _OF_CUSTOMERS.format(fewest=FEWEST_GAPS))
    bench.call("flagged", _FLAGGED.format(by_others=_by_others(limits)))


def _by_others(limits: Cycles) -> str:
    if limits.of_everybody is None:
        return "false"
    cases = " ".join(f"WHEN {literal(name)} THEN {days}" for name, days in limits.of_segment.items())
    return f"T - t_x > CASE segment {cases} ELSE {limits.of_everybody} END"
