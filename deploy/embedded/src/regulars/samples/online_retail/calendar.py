"""The sample's dates, moved by whole weeks, so that a Friday stays a Friday and the last one was last week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Tells the shop's wall clock of then as an instant and a business day of now, `weeks` weeks later."""

    weeks: int

    def instant(self, at: datetime) -> datetime:
        """When it happened: the same weekday and wall clock in London, with the offset of the day it moved to."""
        return (at + self.weeks * WEEK).replace(tzinfo=LONDON)

    def day(self, at: datetime) -> date:
        """The business day it happened on."""
        return (at + self.weeks * WEEK).date()


def weeks_until(last: date, first_start: date) -> int:
    """By how many weeks `last` moves to fall into the week (Monday to Sunday) before that of the first start."""
    this_monday = first_start - timedelta(days=first_start.weekday())
    return (this_monday - WEEK - (last - timedelta(days=last.weekday()))) // WEEK
