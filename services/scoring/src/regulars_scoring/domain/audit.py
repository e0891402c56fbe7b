"""The CRM audit: two windows of equal length, the later of which ends with the day of the run, side by side.

A customer is active in a window with an occasion in it; their age is reckoned from their first occasion.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from regulars_scoring.domain.proportions import Comparison, Share, Standardised, compared, share_of, standardised

WINDOWS_DAYS = (30, 90, 180, 365)
"""The windows that every run is audited over."""

AGE_STRATA_DAYS = (90, 180, 365, 730)
"""Where strata of age begin, besides at 0: customers within one of them are taken to be of like age."""


@dataclass(frozen=True, slots=True)
class Window:
    """Its first and last day, both in it."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Movements:
    """What became of customers in one window.

    Of its `active` customers, the `kept` were active in the window of equal length before it as well, the `new` had
    their first occasion, and the `won_back` had been away for all of that window. The `lost` were active in it, and
    not in this one. `away` counts who could be won back: not active in it, but before it.
    """

    active: int
    kept: int
    new: int
    won_back: int
    lost: int
    away: int

    @property
    def active_before(self) -> int:
        return self.kept + self.lost


@dataclass(frozen=True, slots=True)
class Best:
    """The best tenth by net revenue at a window's start, by stratum of age then: customers, and how many bought again
    within the window.
    """

    customers: tuple[int, ...]
    repurchased: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was counted in one window.

    `in_rhythm`: customers with three gaps of their own or more who at its start had not been silent for longer than
    their 90th percentile (`domain.cycle`). `fell_silent`: those of them who were at its end, by the same limit.
    """

    movements: Movements
    best: Best
    in_rhythm: int
    fell_silent: int


@dataclass(frozen=True, slots=True)
class Migration:
    """Customers by their segments at the end of the window before and at the end of this; None: not a customer yet."""

    before: str | None
    now: str
    customers: int


@dataclass(frozen=True, slots=True)
class Audit:
    """`now` and `before` are the windows; each comparison is of them.

    `best_repurchase` compares as it is, `best_repurchase_age_equalised` as it were had the best of both windows the
    same mixture of ages: direct standardisation over the strata of age, weighted by the best of both windows.
    """

    as_of: date
    window_days: int
    history_from: date
    """The first occasion of all: what lies before it in a window is not known, and everybody in it is new."""
    now: Window
    before: Window
    movements_now: Movements
    movements_before: Movements
    lost: Comparison
    """Of those active in the window before each."""
    new: Comparison
    """Of the active."""
    won_back: Comparison
    """Of those away."""
    switching_away: Comparison
    """Of those in rhythm at the start, who fell silent."""
    best_repurchase: Comparison
    best_repurchase_age_equalised: Standardised
    migration: tuple[Migration, ...]


def audit_of(
    as_of: date, window_days: int, history_from: date, now: Seen, before: Seen, migration: tuple[Migration, ...]
) -> Audit:
    last_before = as_of - timedelta(days=window_days)
    of_now, of_before = now.movements, before.movements
    return Audit(
        as_of=as_of,
        window_days=window_days,
        history_from=history_from,
        now=_window(as_of, window_days),
        before=_window(last_before, window_days),
        movements_now=of_now,
        movements_before=of_before,
        lost=compared(share_of(of_now.lost, of_now.active_before), share_of(of_before.lost, of_before.active_before)),
        new=compared(share_of(of_now.new, of_now.active), share_of(of_before.new, of_before.active)),
        won_back=compared(share_of(of_now.won_back, of_now.away), share_of(of_before.won_back, of_before.away)),
        switching_away=compared(
            share_of(now.fell_silent, now.in_rhythm), share_of(before.fell_silent, before.in_rhythm)
        ),
        best_repurchase=compared(_repurchase(now.best), _repurchase(before.best)),
        best_repurchase_age_equalised=standardised(list(zip(_strata(now.best), _strata(before.best), strict=True))),
        migration=migration,
    )


def _window(last: date, days: int) -> Window:
    return Window(last - timedelta(days=days - 1), last)


def _repurchase(best: Best) -> Share:
    return share_of(sum(best.repurchased), sum(best.customers))


def _strata(best: Best) -> list[Share]:
    return [share_of(count, of) for count, of in zip(best.repurchased, best.customers, strict=True)]
