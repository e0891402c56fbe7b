"""The buying state of a customer: what the models need to know of a ledger of days, kept up by small changes.

An occasion is a day with a purchase on it that was not wholly returned. The state is a function of the ledger alone,
so the order in which its entries came about does not show in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True, slots=True)
class Entry:
    """One day of a customer: net minor units of the reporting currency, and purchases not wholly returned."""

    net_minor: int = 0
    open_purchases: int = 0

    @property
    def is_occasion(self) -> bool:
        return self.open_purchases > 0

    def __add__(self, other: Entry) -> Entry:
        return Entry(self.net_minor + other.net_minor, self.open_purchases + other.open_purchases)

    def __sub__(self, other: Entry) -> Entry:
        return Entry(self.net_minor - other.net_minor, self.open_purchases - other.open_purchases)


NOTHING = Entry()


@dataclass(frozen=True, slots=True)
class DayChange:
    """What became of the entry of one day."""

    day: date
    before: Entry
    after: Entry


@dataclass(frozen=True, slots=True)
class BuyingState:
    """`occasions` are days; first and last are occasions, None when there is none. Net of all days is `total_minor`."""

    occasions: int = 0
    total_minor: int = 0
    first_day: date | None = None
    last_day: date | None = None
    first_net_minor: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """The state as the papers write it, in days: x repeat occasions, the last of them at t_x, observed until T.

    `repeat_minor` is what the x occasions after the first brought in all: x times the mean repeat spend.
    """

    x: int
    t_x: int
    T: int
    repeat_minor: int
    total_minor: int


def state_of(ledger: Mapping[date, Entry]) -> BuyingState:
    """The state that a whole ledger amounts to."""
    total = sum(entry.net_minor for entry in ledger.values())
    occasions = sorted(day for day, entry in ledger.items() if entry.is_occasion)
    if not occasions:
        return BuyingState(total_minor=total)
    first = occasions[0]
    return BuyingState(len(occasions), total, first, occasions[-1], ledger[first].net_minor)


def followed(state: BuyingState, changes: Iterable[DayChange]) -> BuyingState | None:
    """The state after some days changed; None when the ledger has to be read for it, as in `moved`."""
    now: BuyingState | None = state
    for change in changes:
        if now is not None:
            now = moved(now, change.day, change.before, change.after)
    return now


def moved(state: BuyingState, day: date, before: Entry, after: Entry) -> BuyingState | None:
    """The state after one day's entry changed; None when the first or last occasion went: then read the ledger."""
    paid = replace(state, total_minor=state.total_minor + after.net_minor - before.net_minor)
    if after.is_occasion:
        return _with_occasion(paid, day, after, is_new=not before.is_occasion)
    if before.is_occasion:
        return _without_occasion(paid, day)
    return paid


def _with_occasion(state: BuyingState, day: date, entry: Entry, *, is_new: bool) -> BuyingState:
    is_first = state.first_day is None or day <= state.first_day
    return replace(
        state,
        occasions=state.occasions + is_new,
        first_day=day if is_first else state.first_day,
        last_day=day if state.last_day is None or day > state.last_day else state.last_day,
        first_net_minor=entry.net_minor if is_first else state.first_net_minor,
    )


def _without_occasion(state: BuyingState, day: date) -> BuyingState | None:
    if state.occasions == 1:
        return BuyingState(total_minor=state.total_minor)
    if day in (state.first_day, state.last_day):
        return None
    return replace(state, occasions=state.occasions - 1)


def summary_of(state: BuyingState, as_of: date) -> Summary | None:
    """The state seen from the end of the day `as_of`, which is the last occasion's or later; None without occasions.

    A shop's calendar may be ahead of ours by some hours: its last occasion is then the day it is seen from.
    """
    if state.first_day is None or state.last_day is None:
        return None
    return Summary(
        x=state.occasions - 1,
        t_x=(state.last_day - state.first_day).days,
        T=(max(as_of, state.last_day) - state.first_day).days,
        repeat_minor=state.total_minor - state.first_net_minor,
        total_minor=state.total_minor,
    )
