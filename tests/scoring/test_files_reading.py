"""Files as shops write them: other names, separators, encodings, dates and decimal marks; and what is set aside."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from regulars_scoring.adapters.files.refusals import WrongUse
from regulars_scoring.domain.findings import Findings
from scoring.files_shop import Row, read_back, regular_rows, scored, written

Figures = list[tuple[Any, ...]]


def figures(folder: Path) -> Figures:
    """Every figure of the scores beside a file, without the names of the customers."""
    return [tuple(row.values())[1:] for row in read_back(folder / "scores.parquet")]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """What comes of the usual rows, written in the usual way."""
    folder = tmp_path_factory.mktemp("usual")
    scored(written(folder / "purchases.csv", regular_rows()))
    return figures(folder)


def test_other_names_are_told_by_options_in_any_case(tmp_path: Path, usual: Figures) -> None:
    path = written(tmp_path / "a.csv", regular_rows(), "Kunde,Tag,Brutto")
    scored(path, customer="kunde", date="TAG", amount="Brutto")
    assert figures(tmp_path) == usual


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_out(tmp_path: Path, separator: str, usual: Figures) -> None:
    findings = scored(written(tmp_path / "a.csv", regular_rows(), separator=separator))
    assert figures(tmp_path) == usual
    assert ("tabs" if separator == "\t" else f"'{separator}'") in findings.read_as


def test_a_strange_separator_is_told(tmp_path: Path, usual: Figures) -> None:
    scored(written(tmp_path / "a.csv", regular_rows(), separator="~"), separator="~")
    assert figures(tmp_path) == usual


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-be-with-mark"])
def test_the_encoding_is_found_out(tmp_path: Path, encoding: str, usual: Figures) -> None:
    rows = [(f"Müller {customer}", day, amount) for customer, day, amount in regular_rows()]
    path = written(tmp_path / "a.csv", rows)
    if encoding == "utf-16-be-with-mark":
        path.write_bytes(b"\xfe\xff" + path.read_text().encode("utf-16-be"))
    else:
        path.write_text(path.read_text(), encoding=encoding)
    scored(path)
    assert figures(tmp_path) == usual
    assert read_back(tmp_path / "scores.parquet")[0]["customer"] == "Müller c000"


def test_an_encoding_is_told_where_it_cannot_be_found_out(tmp_path: Path) -> None:
    rows = [(f"Łódź {customer}", day, amount) for customer, day, amount in regular_rows()]
    scored(written(tmp_path / "a.csv", rows, encoding="cp1250"), encoding="cp1250")
    assert read_back(tmp_path / "scores.parquet")[0]["customer"] == "Łódź c000"


def test_a_packed_file_is_unpacked(tmp_path: Path, usual: Figures) -> None:
    plain = written(tmp_path / "a.csv", regular_rows())
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    scored(packed)
    assert figures(tmp_path) == usual


Rewrite = Callable[[str], str]


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda day: f"{day} 17:05:59",
        lambda day: f"{day}T23:30:00+02:00",
        lambda day: f"{day}T00:30:00.123Z",
        lambda day: day.replace("-", ""),
        lambda day: day.replace("-", "/"),
        lambda day: date.fromisoformat(day).strftime("%d.%m.%Y"),
        lambda day: date.fromisoformat(day).strftime("%d.%m.%y"),
        lambda day: date.fromisoformat(day).strftime("%d/%m/%Y %H:%M"),
        lambda day: date.fromisoformat(day).strftime("%m/%d/%Y 8:26"),
        lambda day: date.fromisoformat(day).strftime("%m/%d/%Y 08:26 PM"),
        lambda day: date.fromisoformat(day).strftime("%d %b %Y"),
    ],
)
def test_dates_are_read_however_they_are_written(tmp_path: Path, rewrite: Rewrite, usual: Figures) -> None:
    rows = [(customer, rewrite(day), amount) for customer, day, amount in regular_rows()]
    scored(written(tmp_path / "a.csv", rows))
    assert figures(tmp_path) == usual


def test_day_and_month_that_cannot_be_told_apart_are_asked_for(tmp_path: Path) -> None:
    rows = [(customer, f"{day[5:7]}/05/{day[:4]}", amount) for customer, day, amount in regular_rows()]
    path = written(tmp_path / "a.csv", rows)
    with pytest.raises(WrongUse, match="more than one way: say --date-format"):
        scored(path)
    assert scored(path, date_format="%d/%m/%Y").first_day == date(2025, 5, 1)
    assert scored(path, date_format="%m/%d/%Y").first_day == date(2025, 1, 5)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda amount: amount.replace(".", ","),
        lambda amount: f"1.234.{amount.zfill(6)[:3]},{amount[-2:]}",
    ],
)
def test_a_decimal_comma_is_found_out(tmp_path: Path, rewrite: Rewrite) -> None:
    rows = [(customer, day, rewrite(amount)) for customer, day, amount in regular_rows()]
    findings = scored(written(tmp_path / "a.csv", rows, separator=";"))
    assert findings.rows.set_aside == {}
    minor = sum(int(amount.replace(".", "").replace(",", "")) for _, _, amount in rows)
    assert sum(each.revenue_minor for each in findings.segments) == minor


def test_thousands_may_be_set_apart(tmp_path: Path) -> None:
    rows: list[Row] = [("anna", "2025-02-01", '"1,234,567.89"'), ("anna", "2025-02-01", '"-1,000"')]
    scored(written(tmp_path / "a.csv", [*regular_rows(), *rows]))
    assert occasions(tmp_path, "anna")["historic_value"] == 1233567.89


def test_a_number_in_the_other_way_of_writing_is_set_aside_rather_than_taken_for_another(tmp_path: Path) -> None:
    rows = [(customer, day, amount.replace(".", ",")) for customer, day, amount in regular_rows()]
    findings = scored(written(tmp_path / "a.csv", [*rows, ("c000", "2025-02-01", "12.50")], separator=";"))
    assert findings.rows.set_aside == {"not a number": 1}


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


def test_rows_that_nothing_can_be_made_of_are_counted_by_reason_and_change_nothing(
    tmp_path: Path, usual: Figures
) -> None:
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


def test_parquet_with_types_is_the_same_as_text(tmp_path: Path, usual: Figures) -> None:
    path = written(tmp_path / "a.csv", regular_rows())
    types = "date::TIMESTAMPTZ AS date, amount::DOUBLE AS amount, customer[2:]::DOUBLE AS customer"
    copy = tmp_path / "a.parquet"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'").fetchall()
        connection.execute(f"COPY (SELECT {types} FROM '{path}') TO '{copy}'").fetchall()
    scored(copy)
    assert figures(tmp_path) == usual
    assert [row["customer"] for row in read_back(tmp_path / "scores.parquet")][:3] == [0.0, 1.0, 2.0]


def test_numbers_that_are_none_in_parquet_are_set_aside(tmp_path: Path) -> None:
    path, copy = written(tmp_path / "a.csv", regular_rows()), tmp_path / "a.parquet"
    worse = "VALUES ('x', DATE '2025-03-01', 'nan'::DOUBLE), ('x', DATE '2025-03-01', 'inf'), ('x', NULL, 5.0)"
    usual = f"SELECT customer, date, CAST(amount AS DOUBLE) AS amount FROM '{path}'"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({usual} UNION ALL ({worse})) TO '{copy}'").fetchall()
    assert scored(copy).rows.set_aside == {"no date": 1, "no amount": 1, "not a number": 1}


def occasions(folder: Path, customer: str) -> dict[str, Any]:
    return next(row for row in read_back(folder / "scores.parquet") if row["customer"] == customer)


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
    anna = occasions(tmp_path, "anna")
    # Occasions are 1 February (15 net) and 1 April (0, nothing came back); what was kept is 20-5+10-10+0-3 = 12.
    assert (anna["frequency"], anna["recency"], anna["historic_value"]) == (1, 59, 12.0)
    assert (findings.rows.returns, findings.never_kept) == (4, 1)


def test_lines_of_one_day_are_one_occasion_and_each_rounds(tmp_path: Path) -> None:
    rows: list[Sequence[str]] = [(*row, "1") for row in regular_rows()]
    rows += [("anna", "2025-02-01", "0.125", "3"), ("anna", "2025-02-01", "1.005", "1")]
    rows += [("anna", "2025-03-01", "2", "2")]
    scored(written(tmp_path / "a.csv", rows, "customer,date,amount,pieces"), quantity="pieces")
    anna = occasions(tmp_path, "anna")
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
    anna = occasions(tmp_path, "anna")
    # What was bought and brought back in dollars on 1 April is no occasion in dollars either.
    assert (anna["frequency"], anna["recency"], anna["historic_value"]) == (1, 28, 10.0)
    assert findings.currency == "GBP"
    assert (findings.rows.without_money, findings.rows.converted) == ({"USD": 3}, {})
    assert findings.rows.set_aside == {"no currency": 1}


def test_a_rate_turns_it_into_money(tmp_path: Path) -> None:
    findings = in_currencies(tmp_path, rates={"USD": Decimal("0.79")})
    assert occasions(tmp_path, "anna")["historic_value"] == 17.9
    assert (findings.rows.without_money, findings.rows.converted) == ({}, {"USD": 3})


def test_money_is_counted_in_the_currency_that_is_asked_for(tmp_path: Path) -> None:
    # What one dollar is in dollars is known.
    findings = in_currencies(tmp_path, reporting_currency="USD", rates={"USD": Decimal(7)})
    assert occasions(tmp_path, "anna")["historic_value"] == 10.0
    assert findings.rows.without_money == {"GBP": len(regular_rows()) + 1}


def test_scores_are_written_as_text_too(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", regular_rows())
    scored(path, out=tmp_path / "scores.csv")
    scored(path)
    text, table = read_back(tmp_path / "scores.csv"), read_back(tmp_path / "scores.parquet")
    assert [list(row) for row in text] == [list(row) for row in table]
    assert [row["clv"] for row in text] == pytest.approx([row["clv"] for row in table])


def test_a_quote_that_is_never_closed_costs_no_row_in_silence(tmp_path: Path) -> None:
    usual = regular_rows()
    path = written(tmp_path / "a.csv", [*usual[:-20], ("anna", "2025-03-01", '"5.00'), *usual[-20:]])
    assert scored(path).rows.set_aside == {"broken line": 21}


def test_lines_that_end_in_two_ways_and_blank_lines_above_the_names_do_no_harm(tmp_path: Path, usual: Figures) -> None:
    path = written(tmp_path / "a.csv", regular_rows())
    head, _, rest = path.read_text().partition("\n")
    path.write_bytes(f"\n\n{head}\r\n{rest}".encode())
    assert scored(path).rows.set_aside == {}
    assert figures(tmp_path) == usual
