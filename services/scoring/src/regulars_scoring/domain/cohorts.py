"""Cohorts: customers by the period of their first purchase, and what became of them in the periods after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Span = Literal["month", "quarter", "year"]

MOST_PERIODS = 18
"""As many columns as a printed page takes; a longer history is told in longer periods."""

_MONTHS: Mapping[Span, int] = {"month": 1, "quarter": 3, "year": 12}

SPANS: tuple[Span, ...] = tuple(_MONTHS)
"""The shortest first."""


@dataclass(frozen=True, slots=True)
class CohortCell:
    """What customers whose first purchase fell into the period `began` did `age` periods later; money in minor units.

    Periods are counted from year 0 of the calendar, in their own span; `active` had an occasion.
    """

    began: int
    age: int
    active: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """A row of the triangle: `active` and `net_minor` by age, from the first period (age 0) to the present one."""

    label: str
    customers: int
    active: tuple[int, ...]
    net_minor: tuple[int, ...]

    @property
    def retention(self) -> tuple[float, ...]:
        """The share of the cohort's customers who bought, by age; 1 at age 0."""
        return tuple(active / self.customers for active in self.active)

    @property
    def revenue_per_customer_minor(self) -> tuple[float, ...]:
        """Net minor units by age, divided by all customers of the cohort, also those who stayed away."""
        return tuple(net / self.customers for net in self.net_minor)


@dataclass(frozen=True, slots=True)
class Triangle:
    """Retention and revenue by cohort, the oldest first. The last cell of each row is the period of the present day,
    which `has_ended` with that day or goes on.
    """

    span: Span
    cohorts: tuple[Cohort, ...]
    has_ended: bool


def period_of(day: date, span: Span) -> int:
    """The number of the period that a day falls into, counted from year 0."""
    return (12 * day.year + day.month - 1) // _MONTHS[span]


def span_for(first: date, last: date) -> Span:
    """The shortest span that tells the time from first to last in `MOST_PERIODS` periods; years where none does."""
    for span in SPANS:
        if period_of(last, span) - period_of(first, span) < MOST_PERIODS:
            return span
    return "year"


def triangle_of(cells: Iterable[CohortCell], span: Span, as_of: date) -> Triangle:
    """The triangle that ends with the day `as_of`; a cohort's customers are those active at age 0.

    Cells that are missing are periods in which nobody bought.
    """
    rows: dict[int, dict[int, CohortCell]] = {}
    for cell in cells:
        rows.setdefault(cell.began, {})[cell.age] = cell
    now = period_of(as_of, span)
    cohorts = tuple(_cohort(began, row, now, span) for began, row in sorted(rows.items()))
    return Triangle(span, cohorts, has_ended=period_of(as_of + timedelta(days=1), span) > now)


def _cohort(began: int, row: Mapping[int, CohortCell], now: int, span: Span) -> Cohort:
    cells = [row.get(age, CohortCell(began, age, 0, 0)) for age in range(now - began + 1)]
    active, net = tuple(cell.active for cell in cells), tuple(cell.net_minor for cell in cells)
    return Cohort(_label(began, span), active[0], active, net)


def _label(period: int, span: Span) -> str:
    year, place = divmod(period, 12 // _MONTHS[span])
    return {"month": f"{year}-{place + 1:02d}", "quarter": f"{year} Q{place + 1}", "year": f"{year}"}[span]
