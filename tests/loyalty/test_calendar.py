"""When a lot ends (P4): local days, whole months, and the days on which a zone has no midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import BERLIN, local
from regulars_loyalty.domain.calendar import Period, day_start, local_day, lot_expiry, year_start

SAO_PAULO, CAIRO, BEIRUT, APIA, HAVANA, NEW_YORK = map(
    ZoneInfo,
    ["America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "Pacific/Apia", "America/Havana", "America/New_York"],
)
zones = st.sampled_from([BERLIN, SAO_PAULO, CAIRO, BEIRUT, APIA, HAVANA, NEW_YORK, ZoneInfo("UTC")])
instants = st.datetimes(datetime(1995, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))


def test_earned_on_15_january_a_month_lasts_to_the_end_of_15_february() -> None:
    assert lot_expiry(local("2026-01-15 10:00"), Period.parse("P1M"), BERLIN) == local("2026-02-16")


@pytest.mark.parametrize(
    ("earned", "life", "ends"),
    [
        ("2026-01-31 10:00", "P1M", "2026-03-01"),  # February has 28 days: usable to the end of 28 February
        ("2024-01-31 10:00", "P1M", "2024-03-01"),  # a leap year: to the end of 29 February
        ("2024-02-29 10:00", "P12M", "2025-03-01"),
        ("2024-02-29 10:00", "P1Y", "2025-03-01"),
        ("2026-08-31 10:00", "P6M", "2027-03-01"),
        ("2026-01-15 00:00", "P30D", "2026-02-15"),  # to the end of 14 February
        ("2026-01-15 23:59", "P30D", "2026-02-15"),
        ("2026-01-15 10:00", "P2W", "2026-01-30"),
        ("2026-01-31 10:00", "P1M1D", "2026-03-02"),  # clipped first, then a day
        ("2026-01-15 10:00", "P0D", "2026-01-16"),  # the last day named is the day of earning
    ],
)
def test_a_life_ends_with_the_last_day_named(earned: str, life: str, ends: str) -> None:
    assert lot_expiry(local(earned), Period.parse(life), BERLIN) == local(ends)


def test_the_local_day_counts_not_that_of_greenwich() -> None:
    # 23:30 UTC on 14 January is 15 January in Berlin.
    assert lot_expiry(datetime(2026, 1, 14, 23, 30, tzinfo=UTC), Period.parse("P1M"), BERLIN) == local("2026-02-16")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_of_changing_clocks_is_shorter_or_longer(day: str, hours: int) -> None:
    this = date.fromisoformat(day)
    length = day_start(this + timedelta(days=1), BERLIN) - day_start(this, BERLIN)
    assert length == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "day", "first_instant"),
    [
        (SAO_PAULO, date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC)),  # 00:00 became 01:00
        (BEIRUT, date(2022, 3, 27), datetime(2022, 3, 26, 22, tzinfo=UTC)),  # 00:00 became 01:00
        (CAIRO, date(2023, 4, 28), datetime(2023, 4, 27, 22, tzinfo=UTC)),  # 00:00 became 01:00
        (HAVANA, date(2025, 11, 2), datetime(2025, 11, 2, 4, tzinfo=UTC)),  # midnight came twice: the first one
        (SAO_PAULO, date(2018, 2, 18), datetime(2018, 2, 18, 3, tzinfo=UTC)),  # 24:00 became 23:00
        (APIA, date(2011, 12, 31), datetime(2011, 12, 30, 10, tzinfo=UTC)),
        (APIA, date(2011, 12, 30), datetime(2011, 12, 30, 10, tzinfo=UTC)),  # a day that never was
    ],
)
def test_a_day_begins_with_its_first_instant_also_without_a_midnight(
    zone: ZoneInfo, day: date, first_instant: datetime
) -> None:
    assert day_start(day, zone) == first_instant


@given(instants, st.integers(0, 40), zones)
def test_a_lot_ends_at_the_first_instant_of_its_local_day(earned: datetime, months: int, zone: ZoneInfo) -> None:
    life = Period(months, 0)
    last_day = life.after(local_day(earned, zone))
    ends = lot_expiry(earned, life, zone)
    assert local_day(ends, zone) > last_day
    assert local_day(ends - timedelta(microseconds=1), zone) <= last_day


@given(st.dates(date(1995, 1, 1), date(2035, 1, 1)), zones)
def test_days_begin_one_after_the_other(day: date, zone: ZoneInfo) -> None:
    assert day_start(day, zone) <= day_start(day + timedelta(days=1), zone)


@given(instants, st.integers(0, 60), zones)
def test_who_earns_later_keeps_it_at_least_as_long(earned: datetime, months: int, zone: ZoneInfo) -> None:
    life = Period(months, 0)
    assert lot_expiry(earned, life, zone) <= lot_expiry(earned + timedelta(hours=30), life, zone)


def test_a_year_begins_at_its_local_midnight() -> None:
    assert year_start(2026, BERLIN) == datetime(2025, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "P", "P1", "1M", "PT1H", "P1H", "P-1M", "P1.5M", "p1m", "P1M ", "P1D1M", "P١M"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a period"):
        Period.parse(text)


@pytest.mark.parametrize("text", ["P101Y", "P1201M", "P99999D", "P9999W"])
def test_a_life_longer_than_a_century_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="century"):
        Period.parse(text)


def test_a_period_may_mix_its_units() -> None:
    assert Period.parse("P1Y2M1W3D") == Period(14, 10)
    assert Period.parse("P0D").is_zero
    assert not Period.parse("P1D").is_zero
