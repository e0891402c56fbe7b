"""Triangles of cohorts as a run draws them: every purchase is in one place of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_scoring.adapters.engine.cohorts import cohort_cells_of
from regulars_scoring.domain.cohorts import SPANS, CohortCell, Span, period_of, triangle_of
from scoring.ledgers import AS_OF, Days, ledger_in, occasions_in, people


def cells_by_hand(customers: Sequence[Days], span: Span) -> set[CohortCell]:
    active: Counter[tuple[int, int]] = Counter()
    net: Counter[tuple[int, int]] = Counter()
    for days in customers:
        first = occasions_in(days)[0]
        began = period_of(first, span)
        active.update({(began, period_of(day, span) - began) for day in occasions_in(days)})
        for day, entry in days.items():
            net[began, period_of(max(day, first), span) - began] += entry.net_minor
    return {CohortCell(*place, active[place], net[place]) for place in net}


@given(people, st.sampled_from(SPANS))
@settings(max_examples=150, deadline=None)
def test_a_triangle_is_that_of_each_customer(customers: Sequence[Days], span: Span) -> None:
    cells = cohort_cells_of(ledger_in(customers), span, AS_OF)
    assert len(cells) == len(set(cells))
    assert set(cells) == cells_by_hand(customers, span)
    triangle = triangle_of(cells, span, AS_OF)
    assert sum(cohort.customers for cohort in triangle.cohorts) == len(customers)
    revenue = sum(sum(cohort.net_minor) for cohort in triangle.cohorts)
    assert revenue == sum(entry.net_minor for days in customers for entry in days.values())
    assert all(0 <= share <= 1 for cohort in triangle.cohorts for share in cohort.retention)
    assert all(cohort.retention[0] == 1 for cohort in triangle.cohorts)
