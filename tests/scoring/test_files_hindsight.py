"""What the report holds the model to: weeks, tenths, chances of staying away; and cohorts, all counted by hand."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from regulars_scoring.adapters.engine.hindsight import churn_bins, lift_of
from regulars_scoring.domain.findings import Findings
from scoring.files_shop import CDNOW, regular_rows, scored, written

END = date(1998, 6, 30)
CUT = END - timedelta(days=90)


@cache
def of_cdnow() -> Findings:
    with TemporaryDirectory() as folder:
        out, report = Path(folder) / "scores.csv", Path(folder) / "report.html"
        return scored(CDNOW, out=out, report=report, as_of=END)


def days_of_cdnow() -> dict[str, list[date]]:
    """The days on which each customer bought, in order."""
    days: dict[str, set[date]] = {}
    for line in CDNOW.read_text().splitlines()[1:]:
        customer, _, day, *_ = line.split(",")
        days.setdefault(customer, set()).add(date.fromisoformat(day))
    return {customer: sorted(found) for customer, found in days.items()}


def test_each_week_counts_the_repeat_purchases_until_its_end() -> None:
    hindsight = of_cdnow().hindsight
    assert hindsight is not None
    repeats = [day for days in days_of_cdnow().values() for day in days[1:]]
    assert [week.actual for week in hindsight.weeks] == [
        sum(day <= week.ends for day in repeats) for week in hindsight.weeks
    ]
    assert hindsight.weeks[-1].ends == END
    assert CUT in [week.ends for week in hindsight.weeks]


def test_the_expected_purchases_follow_the_actual_ones() -> None:
    hindsight = of_cdnow().hindsight
    assert hindsight is not None
    later = [week for week in hindsight.weeks if week.ends > date(1997, 6, 30)]
    # CDNOW's published trackings stay within a few per cent.
    assert all(abs(week.expected / week.actual - 1.0) < 0.06 for week in later)


def test_churn_is_held_against_who_stayed_away() -> None:
    hindsight = of_cdnow().hindsight
    assert hindsight is not None
    stayed = sum(days[-1] <= CUT for days in days_of_cdnow().values())
    assert sum(each.customers for each in hindsight.churn) == hindsight.customers == 2357
    assert sum(round(each.came * each.customers) for each in hindsight.churn) == stayed
    # Foretold and actual differ by three points at most on average.
    off = sum(abs(each.came - each.foretold) * each.customers for each in hindsight.churn) / 2357
    assert off < 0.03


def test_the_best_tenth_spends_several_times_the_average() -> None:
    hindsight = of_cdnow().hindsight
    assert hindsight is not None
    assert hindsight.lift[0].lift > 4.0
    assert sum(each.revenue_share for each in hindsight.lift) == pytest.approx(1.0)
    assert sum(each.customers for each in hindsight.lift) == 2357


def test_cohorts_count_each_customer_once_a_period() -> None:
    triangle = of_cdnow().triangle
    assert (triangle.span, triangle.has_ended) == ("month", True)
    seen: Counter[tuple[int, int]] = Counter()
    for days in days_of_cdnow().values():
        months = {12 * (day.year - 1997) + day.month - 1 for day in days}
        first = min(months)
        seen.update((first, month - first) for month in months)
    for place, cohort in enumerate(triangle.cohorts):
        assert cohort.active == tuple(seen[place, age] for age in range(18 - place))
    cents = sum(round(100 * float(line.rsplit(",", 1)[1])) for line in CDNOW.read_text().splitlines()[1:])
    assert sum(sum(cohort.net_minor) for cohort in triangle.cohorts) == cents


def test_segments_and_tenths_have_everybody_and_all_revenue() -> None:
    findings = of_cdnow()
    revenue = sum(each.revenue_minor for each in findings.segments)
    assert sum(each.customers for each in findings.segments) == sum(findings.cells.values()) == 2357
    assert sum(each.revenue_minor for each in findings.tenths) == revenue
    assert findings.top_tenth_share == findings.tenths[0].revenue_minor / revenue


def test_a_short_history_has_no_hindsight_and_says_so(tmp_path: Path) -> None:
    findings = scored(written(tmp_path / "a.csv", regular_rows()), report=tmp_path / "r.html", as_of=date(2025, 6, 1))
    assert (findings.hindsight, findings.no_hindsight) == (None, "the purchases cover less than twice 90 days")


def test_a_beginning_without_repeats_has_no_hindsight_and_says_so(tmp_path: Path) -> None:
    rows = [(f"c{n}", day, "5") for n in range(20) for day in ("2025-01-01", f"2025-12-{n + 1:02d}")]
    findings = scored(written(tmp_path / "a.csv", rows), report=tmp_path / "r.html", as_of=date(2025, 12, 31))
    assert findings.no_hindsight is not None
    assert findings.no_hindsight.startswith("90 days ago there was too little to learn from")


def test_nobody_waits_for_a_hindsight_that_nobody_sees(tmp_path: Path) -> None:
    assert scored(written(tmp_path / "a.csv", regular_rows())).hindsight is None


def test_bins_hold_like_chances_and_the_empty_ones_are_left_out() -> None:
    bins = churn_bins(np.array([0.05, 0.07, 1.0, 0.95]), np.array([False, True, True, True]))
    assert [(each.came, each.customers) for each in bins] == [(0.5, 2), (1.0, 2)]
    assert [each.foretold for each in bins] == pytest.approx([0.06, 0.975])


def test_fewer_customers_than_tenths_have_a_tenth_each() -> None:
    lift = lift_of(np.array([1.0, 3.0, 2.0]), np.array([100, 700, 200]))
    # 700 of 1,000 is 2.1 times the mean of three.
    assert [(each.tenth, each.customers) for each in lift] == [(1, 1), (2, 1), (3, 1)]
    assert [each.revenue_share for each in lift] == [0.7, 0.2, 0.1]
    assert lift[0].lift == pytest.approx(2.1)


def test_nothing_spent_is_no_lift() -> None:
    assert [each.lift for each in lift_of(np.array([1.0, 3.0]), np.array([0, 0]))] == [0.0, 0.0]
