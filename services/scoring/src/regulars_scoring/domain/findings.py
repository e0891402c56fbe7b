"""What was found in a file of purchases: all that its summary and its report tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from regulars_scoring.domain.cohorts import Triangle
from regulars_scoring.domain.hindsight import Hindsight
from regulars_scoring.domain.model import Model


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows of the file went.

    `set_aside` counts by reason those that nothing could be made of, `later` those after the day of the scores,
    `without_money` by currency those that are purchases whose price no rate is known for, `converted` those whose
    price was converted. `returns` are negative amounts.
    """

    read: int
    set_aside: Mapping[str, int]
    later: int
    returns: int
    without_money: Mapping[str, int]
    converted: Mapping[str, int]

    @property
    def kept(self) -> int:
        return self.read - self.later - sum(self.set_aside.values())


@dataclass(frozen=True, slots=True)
class Tenth:
    """A tenth of the customers by expected value, 1 the best. `revenue_share` is of all revenue; None without any."""

    decile: int
    customers: int
    revenue_minor: int
    revenue_share: float | None
    expected_value_major: float


@dataclass(frozen=True, slots=True)
class SegmentCount:
    """`clv` is the expected value of its customers over the next twelve months, in major units."""

    name: str
    customers: int
    revenue_minor: int
    clv: float


@dataclass(frozen=True, slots=True)
class Findings:
    """`first_day` is that of the first occasion, `never_kept` counts customers who returned all that they bought.

    `notes` says in plain words what is to be known of the fit before the scores are believed. `cells` counts
    customers by the scores of recency and frequency. `hindsight` is None where `no_hindsight` says why.
    """

    file: str
    read_as: str
    rows: Rows
    first_day: date
    horizon_days: int
    customers: int
    repeat_customers: int
    never_kept: int
    model: Model
    notes: tuple[str, ...]
    cells: Mapping[tuple[int, int], int]
    segments: tuple[SegmentCount, ...]
    tenths: tuple[Tenth, ...]
    triangle: Triangle
    hindsight: Hindsight | None
    no_hindsight: str | None

    @property
    def as_of(self) -> date:
        return self.model.as_of

    @property
    def currency(self) -> str:
        """Empty when nobody named one."""
        return self.model.currency

    @property
    def top_tenth_share(self) -> float | None:
        """Of all revenue, what the best tenth by expected value has brought; None without revenue."""
        return next((each.revenue_share for each in self.tenths if each.decile == 1), None)
