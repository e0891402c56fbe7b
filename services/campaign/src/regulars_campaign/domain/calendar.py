"""Days, and the stretches of them that rules look back over."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

_DURATION = re.compile(r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,4})D)?", re.ASCII)
LONGEST_DAYS = 3_660
"""Ten years: as far as a rule may look back."""


@dataclass(frozen=True, slots=True)
class Period:
    """Calendar months and days, as ISO 8601 writes them (`P90D`, `P3M`, `P1Y2M`); weeks are seven days."""

    months: int
    days: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for what is no duration of one day to ten years."""
        found = _DURATION.fullmatch(text)
        if found is None:
            raise ValueError("must be a duration of whole days such as P90D or P3M")
        years, months, weeks, days = (int(part or 0) for part in found.groups())
        period = cls(12 * years + months, 7 * weeks + days)
        if not 0 < 30 * period.months + period.days <= LONGEST_DAYS:
            raise ValueError("must be one day to ten years")
        return period

    def before(self, day: date) -> date:
        """The day that lies the period before: first the months (31 May less one month is 30 April), then the days."""
        months = day.year * 12 + day.month - 1 - self.months
        year, month = divmod(months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(day.day, last)) - timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, and the calendar day on which it falls in the shop's zone."""

    at: datetime
    today: date

    @classmethod
    def of(cls, at: datetime, zone: ZoneInfo) -> Self:
        return cls(at, at.astimezone(zone).date())
