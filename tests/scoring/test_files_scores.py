"""Scores of files are those of the service: the same ledger, the same fit, the same figures."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import numpy as np
import pytest

from regulars_scoring.adapters.engine.drafting import Asked, Drafts, draft
from regulars_scoring.adapters.engine.population import population_of
from regulars_scoring.domain.cycle import own_cycle_of
from regulars_scoring.domain.scoring import Bands, figures_of, score
from regulars_scoring.domain.state import Entry, state_of, summary_of
from regulars_scoring.files import score_file
from scoring import cdnow
from scoring.files_shop import (
    CDNOW,
    OF_ONLINE_RETAIL,
    ONLINE_RETAIL,
    an_order,
    read_back,
    regular_rows,
    scored,
    written,
)

RUN = UUID("5c0e0000-0000-4000-8000-000000000002")


def drafted(population: Any, as_of: date) -> Drafts:
    return draft(population, Asked(RUN, as_of, 90, ""), Bands())


@pytest.fixture(scope="module")
def of_cdnow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The rows of the scores by customer."""
    out = tmp_path_factory.mktemp("cdnow") / "scores.parquet"
    score_file(an_order(CDNOW, out, as_of=cdnow.CALIBRATION_END), lambda *_: None)
    return {row["customer"]: row for row in read_back(out)}


@cache
def cdnow_customers() -> tuple[str, ...]:
    """In the order of `cdnow.buyers`."""
    lines = CDNOW.read_text().splitlines()[1:]
    return tuple(dict.fromkeys(line.split(",")[0] for line in lines))


def test_each_score_of_the_file_is_the_live_score_of_the_service(of_cdnow: dict[str, dict[str, Any]]) -> None:
    model = drafted(cdnow.population(), cdnow.CALIBRATION_END).model
    assert len(of_cdnow) == 2357
    for customer, buyer in zip(cdnow_customers(), cdnow.buyers(), strict=True):
        row, live = of_cdnow[customer], score(buyer.state, model, cdnow.CALIBRATION_END)
        assert live is not None
        assert (row["r_score"], row["f_score"], row["m_score"]) == (
            live.cell.recency,
            live.cell.frequency,
            live.cell.monetary,
        )
        assert row["segment"] == figures_of(live, Bands()).segment
        assert row["decile"] == live.decile
        figures = (row["p_alive"], row["churn_90"], row["expected_purchases_90"], row["expected_spend"], row["clv"])
        said = (live.p_alive, live.churn_90, live.expected_purchases, live.expected_spend, live.clv)
        assert figures == pytest.approx(said, rel=1e-9)


def test_each_state_of_the_file_is_the_papers(of_cdnow: dict[str, dict[str, Any]]) -> None:
    for customer, buyer in zip(cdnow_customers(), cdnow.buyers(), strict=True):
        row, summary = of_cdnow[customer], summary_of(buyer.state, cdnow.CALIBRATION_END)
        assert summary is not None
        assert (row["frequency"], row["recency"], row["T"]) == (summary.x, summary.t_x, summary.T)
        mean = summary.repeat_minor / 100 / summary.x if summary.x else None
        assert row["monetary"] == (None if mean is None else pytest.approx(mean))
        assert row["historic_value"] == pytest.approx(summary.total_minor / 100)


def test_more_is_expected_of_more_days(of_cdnow: dict[str, dict[str, Any]]) -> None:
    for row in of_cdnow.values():
        assert 0 < row["expected_purchases_30"] < row["expected_purchases_90"] < row["expected_purchases_365"]


def test_a_real_shops_lines_with_returns_come_to_what_the_ledger_says(tmp_path: Path) -> None:
    """541,909 lines, summed by hand: a day is an occasion with net above 0, or of 0 when nothing came back on it."""
    findings = scored(ONLINE_RETAIL, out=tmp_path / "scores.parquet", **OF_ONLINE_RETAIL)
    assert (findings.rows.read, findings.rows.set_aside) == (541_909, {"no customer": 135_080})
    assert findings.rows.returns == 8_905
    rows = {row["customer"]: row for row in read_back(tmp_path / "scores.parquet")}
    states = {customer: state_of(days) for customer, days in ledger_of_online_retail().items()}
    summaries = {customer: summary_of(state, date(2011, 12, 9)) for customer, state in states.items()}
    kept = {customer: summary for customer, summary in summaries.items() if summary is not None}
    assert rows.keys() == kept.keys()
    assert findings.never_kept == len(summaries) - len(kept)
    for customer, summary in kept.items():
        row = rows[customer]
        assert (row["frequency"], row["recency"], row["T"]) == (summary.x, summary.t_x, summary.T)
        assert round(100 * row["historic_value"]) == summary.total_minor
    columns = np.array([(s.x, s.t_x, s.T, s.repeat_minor, s.total_minor) for _, s in sorted(kept.items())]).T
    theirs = drafted(population_of(*columns), date(2011, 12, 9))
    assert [row["decile"] for _, row in sorted(rows.items())] == theirs.decile.tolist()
    assert findings.model.buying == theirs.model.buying


def ledger_of_online_retail() -> dict[int, dict[date, Entry]]:
    """By day and customer: net minor units, and 1 for an occasion. Added up in Python, line by line."""
    net: defaultdict[tuple[int, date], int] = defaultdict(int)
    came_back = set()
    with duckdb.connect() as connection:
        query = "SELECT CustomerID, InvoiceDate::DATE, Quantity, UnitPrice FROM read_parquet(?) WHERE CustomerID > 0"
        for customer, day, quantity, price in connection.execute(query, [str(ONLINE_RETAIL)]).fetchall():
            exact = quantity * round(price * 100_000)
            # Rounded half away from zero, as a till does.
            net[customer, day] += (abs(exact) + 500) // 1000 * (1 if exact >= 0 else -1)
            if exact < 0:
                came_back.add((customer, day))
    ledgers: defaultdict[int, dict[date, Entry]] = defaultdict(dict)
    for (customer, day), minor in net.items():
        is_occasion = minor > 0 or (minor == 0 and (customer, day) not in came_back)
        ledgers[customer][day] = Entry(minor, 1 if is_occasion else 0)
    return ledgers


def test_who_has_been_silent_for_longer_than_usual_is_flagged(tmp_path: Path) -> None:
    findings = scored(written(tmp_path / "a.csv", regular_rows()))
    came: defaultdict[str, set[date]] = defaultdict(set)
    for customer, day, _ in regular_rows():
        came[customer].add(date.fromisoformat(day))
    rows = read_back(tmp_path / "scores.parquet")
    for row in rows:
        cycle = own_cycle_of(sorted(came[row["customer"]]), row["segment"], findings.model.cycles, findings.as_of)
        assert row["is_overdue"] is (cycle is not None and cycle.is_overdue)
    assert {row["is_overdue"] for row in rows} == {True, False}


def test_a_customers_name_keeps_its_type_and_its_noughts(tmp_path: Path) -> None:
    rows = [(customer.replace("c", "0"), day, amount) for customer, day, amount in regular_rows()]
    scored(written(tmp_path / "a.csv", rows))
    assert read_back(tmp_path / "scores.parquet")[0]["customer"] == "0000"
