"""Hindsight: what a model fitted to the days before a cut foretold of those after it, beside what came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class ChurnBin:
    """Customers of similar foretold churn: its mean, and the share who did stay away. Both 0 to 1."""

    foretold: float
    came: float
    customers: int


@dataclass(frozen=True, slots=True)
class LiftTenth:
    """A tenth of the customers by foretold spend, 1 the best: their spend after the cut beside the mean of all.

    `lift` 3.0: they brought three times as much as as many customers picked blindly. `revenue_share` is of all that
    came after the cut, 0 to 1; it can be below 0 where returns outweigh.
    """

    tenth: int
    customers: int
    lift: float
    revenue_share: float


@dataclass(frozen=True, slots=True)
class TrackedWeek:
    """Repeat purchases of the customers who began before the cut, cumulated until the end of the week."""

    ends: date
    actual: int
    expected: float


@dataclass(frozen=True, slots=True)
class Hindsight:
    """`customers` bought before the end of the day `cut`; foretold are the `days` after it."""

    cut: date
    days: int
    customers: int
    weeks: tuple[TrackedWeek, ...]
    lift: tuple[LiftTenth, ...]
    churn: tuple[ChurnBin, ...]

    @property
    def deviation(self) -> float | None:
        """Expected over actual repeat purchases after the cut, less 1; None when none came."""
        before = next((week for week in reversed(self.weeks) if week.ends <= self.cut), None)
        last = self.weeks[-1]
        came = last.actual - (before.actual if before else 0)
        foretold = last.expected - (before.expected if before else 0.0)
        return foretold / came - 1.0 if came else None
