"""Calendar arithmetic of a programme: local days, periods, and the instants at which they end."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from regulars_kit.values import value

_PERIOD = re.compile(r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?", re.ASCII)
_LONGEST_MONTHS, _LONGEST_DAYS = 1200, 36525


@value
class Period:
    """A length in calendar units (ISO 8601 without hours): months are clipped, days are counted after them."""

    months: int
    days: int

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read P1Y, P12M, P2W, P30D or a mixture, up to a century. Raises ValueError on anything else."""
        match = _PERIOD.fullmatch(text)
        if match is None or text == "P":
            raise ValueError(f"not a period in years, months, weeks and days: {text!r}")
        years, months, weeks, days = (int(part or 0) for part in match.groups())
        period = cls(years * 12 + months, weeks * 7 + days)
        if period.months > _LONGEST_MONTHS or period.days > _LONGEST_DAYS:
            raise ValueError(f"a period longer than a century: {text!r}")
        return period

    @property
    def is_zero(self) -> bool:
        return self.months == 0 and self.days == 0

    def after(self, day: date) -> date:
        """The day this period after `day`; 31 January and a month is the last day of February."""
        month_index = day.year * 12 + day.month - 1 + self.months
        year, month = divmod(month_index, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(day.day, last)) + timedelta(days=self.days)


@cache
def zone_names() -> frozenset[str]:
    """The zones of the IANA database. Listing them walks its files, so it is done once."""
    return frozenset(available_timezones())


# Asked several times of each fact; the zone's rules are searched once.
@lru_cache(maxsize=4096)
def local_day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


@lru_cache(maxsize=4096)
def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of the local day, in UTC; where midnight is skipped, the instant the clocks jump."""
    midnight = datetime.combine(day, time(), zone).astimezone(UTC)
    if midnight.astimezone(zone).time() == time() and local_day(midnight - timedelta(seconds=1), zone) < day:
        return midnight
    return _first_instant(day, zone, midnight)


def _first_instant(day: date, zone: ZoneInfo, near: datetime) -> datetime:
    before, after = near - timedelta(days=1, hours=3), near + timedelta(days=1, hours=3)
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (before, middle) if local_day(middle, zone) >= day else (middle, after)
    return after


def lot_expiry(earned_at: datetime, life: Period, zone: ZoneInfo) -> datetime:
    """When a lot ends (P4): the life runs from the local day of earning and its last day counts in full.

    Earned 15 January with a life of one month: usable to the end of 15 February, so 16 February 00:00 local.
    """
    return _end_of_life(local_day(earned_at, zone), life, zone)


@lru_cache(maxsize=4096)
def _end_of_life(first_day: date, life: Period, zone: ZoneInfo) -> datetime:
    return day_start(life.after(first_day) + timedelta(days=1), zone)


def year_start(year: int, zone: ZoneInfo) -> datetime:
    return day_start(date(year, 1, 1), zone)
