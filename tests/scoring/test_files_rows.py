"""What the rows of a file come to: days, returns, currencies; what nothing can be made of is set aside and counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from regulars_scoring.domain.findings import Findings
from scoring.files_shop import Row, figures, read_back, regular_rows, row_of, scored, written

BAD_ROWS = [
    ("", "2025-03-01", "5.00"),
    ("  ", "2025-03-01", "5.00"),
    ("c001", "", "5.00"),
    ("c001", "soon", "5.00"),
    ("c001", "2025-02-30", "5.00"),
    ("c001", "0001-01-01", "5.00"),
    ("c001", "2025-03-01", ""),
    ("c001", "2025-03-01", "five"),
    ("c001", "2025-03-01", "nan"),
    ("c001", "2025-03-01", "1e300"),
    ("c001", "2025-03-01", "99999999999"),
    ("only one field",),
    ("c001", "2025-03-01", "5.00", "one", "too many"),
]
COUNTED = {
    "no customer": 2,
    "no date": 1,
    "not a date": 3,
    "no amount": 1,
    "not a number": 3,
    "too large a number": 1,
    "broken line": 2,
}


def test_rows_that_nothing_can_be_made_of_are_counted_by_reason_and_change_nothing(tmp_path: Path) -> None:
    scored(written(tmp_path / "usual.csv", regular_rows()))
    usual = figures(tmp_path)
    rows: list[Sequence[str]] = [*BAD_ROWS, *regular_rows()]
    findings = scored(written(tmp_path / "a.csv", rows))
    assert findings.rows.set_aside == COUNTED
    assert findings.rows.read == len(rows)
    assert findings.rows.kept == len(regular_rows())
    assert figures(tmp_path) == usual


def test_among_many_rows_every_broken_line_is_given_back(tmp_path: Path) -> None:
    """A large file is read in pieces, and more than once."""
    usual = [row for row in regular_rows() for _ in range(200)]
    broken = [(f"broken {number}", "2025-03-01") for number in range(500)]
    rows: list[Sequence[str]] = [*usual, *broken, *usual]
    findings = scored(written(tmp_path / "a.csv", rows), rejects=tmp_path / "rejects.csv")
    assert (findings.rows.read, findings.rows.set_aside) == (len(rows), {"broken line": 500})
    back = {row["line"] for row in read_back(tmp_path / "rejects.csv")}
    assert back == {",".join(row) for row in broken}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rows_set_aside_are_given_back_as_they_stand(tmp_path: Path, suffix: str) -> None:
    rows: list[Sequence[str]] = [*regular_rows(), *BAD_ROWS]
    rejects = tmp_path / f"rejects{suffix}"
    scored(written(tmp_path / "a.csv", rows), rejects=rejects)
    back = read_back(rejects)
    assert len(back) == sum(COUNTED.values())
    (soon,) = [row for row in back if row["date"] == "soon"]
    assert (soon["customer"], soon["set aside because"]) == ("c001", "not a date")
    assert {row["line"] for row in back if row["set aside because"] == "broken line"} == {
        ",".join(row) for row in BAD_ROWS[-2:]
    }


def test_a_quote_that_is_never_closed_costs_no_row_in_silence(tmp_path: Path) -> None:
    usual = regular_rows()
    path = written(tmp_path / "a.csv", [*usual[:-20], ("anna", "2025-03-01", '"5.00'), *usual[-20:]])
    assert scored(path).rows.set_aside == {"broken line": 21}


def test_a_return_takes_its_amount_from_its_own_day_and_is_no_occasion(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("anna", "2025-02-01", "20.00"),
        ("anna", "2025-02-01", "-5.00"),
        ("anna", "2025-03-01", "10.00"),
        ("anna", "2025-03-01", "-10.00"),
        ("anna", "2025-04-01", "0.00"),
        ("anna", "2025-05-01", "-3.00"),
        ("ben", "2025-02-01", "8.00"),
        ("ben", "2025-02-01", "-8.00"),
    ]
    findings = scored(written(tmp_path / "a.csv", [*regular_rows(), *rows]))
    anna = row_of(tmp_path, "anna")
    # Occasions are 1 February (15 net) and 1 April (0, nothing came back); what was kept is 20-5+10-10+0-3 = 12.
    assert (anna["frequency"], anna["recency"], anna["historic_value"]) == (1, 59, 12.0)
    assert (findings.rows.returns, findings.never_kept) == (4, 1)


def test_lines_of_one_day_are_one_occasion_and_each_rounds(tmp_path: Path) -> None:
    rows: list[Sequence[str]] = [(*row, "1") for row in regular_rows()]
    rows += [("anna", "2025-02-01", "0.125", "3"), ("anna", "2025-02-01", "1.005", "1")]
    rows += [("anna", "2025-03-01", "2", "2")]
    scored(written(tmp_path / "a.csv", rows, "customer,date,amount,pieces"), quantity="pieces")
    anna = row_of(tmp_path, "anna")
    # 3 x 0.125 is 0.375, rounded 0.38; 1.005 is 1.01; 2 x 2 is 4.
    assert (anna["frequency"], anna["historic_value"]) == (1, 5.39)


def test_later_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", regular_rows())
    findings = scored(path, as_of=date(2025, 9, 30))
    assert findings.rows.later == sum(day > "2025-09-30" for _, day, _ in regular_rows())
    assert findings.as_of == date(2025, 9, 30)


def test_without_a_day_it_is_the_last_of_the_file_or_today(tmp_path: Path) -> None:
    rows = regular_rows()
    assert scored(written(tmp_path / "a.csv", rows)).as_of == date.fromisoformat(max(day for _, day, _ in rows))
    misprint = scored(written(tmp_path / "a.csv", [*rows, ("c001", "2205-03-01", "5.00")]))
    assert (misprint.as_of, misprint.rows.later) == (date(2026, 6, 30), 1)


def with_currencies() -> list[Sequence[str]]:
    usual: list[Sequence[str]] = [(*row, "gbp ") for row in regular_rows()]
    return [
        *usual,
        ("anna", "2025-02-01", "10.00", "GBP"),
        ("anna", "2025-03-01", "10.00", "USD"),
        ("anna", "2025-04-01", "5.00", "USD"),
        ("anna", "2025-04-01", "-5.00", "USD"),
        ("ben", "2025-03-01", "5.00", ""),
    ]


def in_currencies(folder: Path, **said: Any) -> Findings:
    return scored(written(folder / "a.csv", with_currencies(), "customer,date,amount,currency"), **said)


def test_money_in_another_currency_is_a_visit_and_no_money(tmp_path: Path) -> None:
    findings = in_currencies(tmp_path)
    anna = row_of(tmp_path, "anna")
    # What was bought and brought back in dollars on 1 April is no occasion in dollars either.
    assert (anna["frequency"], anna["recency"], anna["historic_value"]) == (1, 28, 10.0)
    assert findings.currency == "GBP"
    assert (findings.rows.without_money, findings.rows.converted) == ({"USD": 3}, {})
    assert findings.rows.set_aside == {"no currency": 1}


def test_a_rate_turns_it_into_money(tmp_path: Path) -> None:
    findings = in_currencies(tmp_path, rates={"USD": Decimal("0.79")})
    assert row_of(tmp_path, "anna")["historic_value"] == 17.9
    assert (findings.rows.without_money, findings.rows.converted) == ({}, {"USD": 3})


def test_money_is_counted_in_the_currency_that_is_asked_for(tmp_path: Path) -> None:
    # What one dollar is in dollars is known.
    findings = in_currencies(tmp_path, reporting_currency="USD", rates={"USD": Decimal(7)})
    assert row_of(tmp_path, "anna")["historic_value"] == 10.0
    assert findings.rows.without_money == {"GBP": len(regular_rows()) + 1}
