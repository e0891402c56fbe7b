"""Triangles of cohorts: who came back, and what they brought."""

from __future__ import annotations

from datetime import date

import pytest

from regulars_scoring.domain.cohorts import CohortCell, Span, period_of, span_for, triangle_of

JANUARY, FEBRUARY = period_of(date(2025, 1, 31), "month"), period_of(date(2025, 2, 1), "month")
CELLS = [
    CohortCell(JANUARY, 0, 4, 8000),
    CohortCell(JANUARY, 2, 1, 1000),
    CohortCell(FEBRUARY, 0, 2, 5000),
    CohortCell(FEBRUARY, 1, 1, -500),
]


def test_a_row_follows_its_customers_to_the_present_month() -> None:
    january, february = triangle_of(CELLS, "month", date(2025, 3, 30)).cohorts
    assert (january.label, january.customers, january.active) == ("2025-01", 4, (4, 0, 1))
    assert january.retention == (1.0, 0.0, 0.25)
    assert january.revenue_per_customer_minor == (2000.0, 0.0, 250.0)
    # What was given back in a month is less than nothing brought.
    assert (february.label, february.net_minor) == ("2025-02", (5000, -500))


@pytest.mark.parametrize(("as_of", "has_ended"), [(date(2025, 3, 30), False), (date(2025, 3, 31), True)])
def test_a_month_has_ended_with_its_last_day(as_of: date, has_ended: bool) -> None:
    assert triangle_of(CELLS, "month", as_of).has_ended is has_ended


@pytest.mark.parametrize(
    ("last", "span"),
    [
        (date(2026, 6, 30), "month"),
        (date(2026, 7, 1), "quarter"),
        (date(2029, 7, 1), "year"),
        (date(2099, 1, 1), "year"),
    ],
)
def test_a_long_history_is_told_in_longer_periods(last: date, span: Span) -> None:
    assert span_for(date(2025, 1, 1), last) == span


def test_periods_are_named_as_people_name_them() -> None:
    spans: list[Span] = ["month", "quarter", "year"]
    day = date(2025, 12, 31)
    labels = [triangle_of([CohortCell(period_of(day, s), 0, 1, 5)], s, day).cohorts[0].label for s in spans]
    assert labels == ["2025-12", "2025 Q4", "2025"]
