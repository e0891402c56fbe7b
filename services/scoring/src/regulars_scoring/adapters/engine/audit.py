"""The counts that a CRM audit is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from regulars_scoring.adapters.engine.gaps import UNLIMITED, Gaps, own_limits
from regulars_scoring.adapters.engine.ledger import Ledger
from regulars_scoring.adapters.engine.occasions import Occasions, first_rows, past_of
from regulars_scoring.adapters.engine.placing import axes_at, cuts_for, places_by
from regulars_scoring.adapters.engine.population import Ints
from regulars_scoring.domain.audit import AGE_STRATA_DAYS, Audit, Best, Migration, Movements, Seen, audit_of
from regulars_scoring.domain.model import DECILES
from regulars_scoring.domain.rfm_settings import RfmSettings

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Window:
    """The days of ages from `end_age` on and below `start_age`; its start is the end of the day before them."""

    start_age: int
    end_age: int

    @property
    def earlier(self) -> Window:
        """The window of equal length before it."""
        return Window(2 * self.start_age - self.end_age, self.start_age)


def audited(ledger: Ledger, gaps: Gaps, as_of: date, window_days: int, rfm: RfmSettings) -> Audit:
    """`gaps` are the ledger's, the shortest first."""
    window = Window(window_days, 0)
    now, before = _seen(ledger, gaps, window), _seen(ledger, gaps, window.earlier)
    history_from = as_of - timedelta(days=int(ledger.occasions.age.max(initial=0)))
    return audit_of(as_of, window_days, history_from, now, before, _migration(ledger, window, rfm))


def _seen(ledger: Ledger, gaps: Gaps, window: Window) -> Seen:
    occasions = ledger.occasions
    in_rhythm, fell_silent = _silence(occasions, gaps, window, ledger.customers)
    return Seen(_movements(occasions, window, ledger.customers), _best(ledger, window), in_rhythm, fell_silent)


def _active(occasions: Occasions, window: Window, customers: int) -> Flags:
    inside = (occasions.age >= window.end_age) & (occasions.age < window.start_age)
    return np.bincount(occasions.customer[inside], minlength=customers) > 0


def _first_age(occasions: Occasions) -> Ints:
    """Each customer's own; everybody has an occasion, and the oldest comes first."""
    return occasions.age[first_rows(occasions.customer)]


def _movements(occasions: Occasions, window: Window, customers: int) -> Movements:
    active, active_before = (_active(occasions, each, customers) for each in (window, window.earlier))
    was_customer = _first_age(occasions) >= window.start_age
    return Movements(
        active=int(active.sum()),
        kept=int((active & active_before).sum()),
        new=int((active & ~was_customer).sum()),
        won_back=int((active & was_customer & ~active_before).sum()),
        lost=int((active_before & ~active).sum()),
        away=int((was_customer & ~active_before).sum()),
    )


def _best(ledger: Ledger, window: Window) -> Best:
    """The best tenth at the start, equal customers staying together."""
    occasions = ledger.occasions
    here, axes = axes_at(ledger, window.start_age, None)
    best = here[_is_best_tenth(axes.monetary)]
    age = _first_age(occasions)[best] - window.start_age
    stratum = np.searchsorted(AGE_STRATA_DAYS, age, side="right")
    repurchased = _active(occasions, window, ledger.customers)[best]
    strata = len(AGE_STRATA_DAYS) + 1
    return Best(
        tuple(np.bincount(stratum, minlength=strata).tolist()),
        tuple(np.bincount(stratum[repurchased], minlength=strata).tolist()),
    )


def _is_best_tenth(values: Ints) -> Flags:
    """As decile 1 of `domain.model.decile_bounds_of`: above + half of the equal is less than a tenth of all."""
    _, place, equal = np.unique(values, return_inverse=True, return_counts=True)
    above = values.size - np.cumsum(equal)
    return np.asarray((DECILES * (2 * above + equal) < 2 * values.size)[place.reshape(-1)])


def _silence(occasions: Occasions, gaps: Gaps, window: Window, customers: int) -> tuple[int, int]:
    """Customers in rhythm at the start, and those of them who were not at the end."""
    start, end = past_of(occasions, window.start_age), past_of(occasions, window.end_age)
    limits = own_limits(gaps, customers, window.start_age)
    silence = np.full(customers, UNLIMITED)
    silence[start.customer] = start.T - start.t_x
    in_rhythm = (limits != UNLIMITED) & (silence <= limits)
    silence[end.customer] = end.T - end.t_x
    return int(in_rhythm.sum()), int((in_rhythm & (silence > limits)).sum())


def _migration(ledger: Ledger, window: Window, rfm: RfmSettings) -> tuple[Migration, ...]:
    """Each day by cuts of its own, as a run of that day would have placed its customers, under the names of today."""
    names = rfm.grid.segments
    nobody = len(names)
    before, now = (np.full(ledger.customers, nobody) for _ in range(2))
    for segments, age in ((before, window.start_age), (now, window.end_age)):
        here, axes = axes_at(ledger, age, rfm.window_days)
        segments[here] = places_by(cuts_for(axes, rfm), axes).segments(rfm.grid)
    pairs, counts = np.unique(before * nobody + now, return_counts=True)
    return tuple(
        Migration(None if pair // nobody == nobody else names[pair // nobody], names[pair % nobody], count)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True)
    )
