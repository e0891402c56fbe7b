"""Files as shops write them: other names, separators, encodings, dates and decimal marks, and Parquet."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from regulars_scoring.adapters.files.refusals import WrongUse
from scoring.files_shop import Figures, Row, figures, read_back, regular_rows, row_of, scored, written


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


def test_a_price_of_one_is_multiplied_by_the_quantity_beside_it(tmp_path: Path, usual: Figures) -> None:
    twos = [(customer, day, f"{Decimal(amount) / 2},2") for customer, day, amount in regular_rows()]
    findings = scored(written(tmp_path / "a.csv", twos, "CustomerID,InvoiceDate,UnitPrice,Quantity"))
    assert figures(tmp_path) == usual
    assert findings.read_as.endswith("who: CustomerID, when: InvoiceDate, paid: UnitPrice x Quantity")


def test_what_is_called_an_amount_is_what_was_paid_whatever_the_quantity(tmp_path: Path, usual: Figures) -> None:
    twos = [(customer, day, f"{amount},2") for customer, day, amount in regular_rows()]
    findings = scored(written(tmp_path / "a.csv", twos, "customer,date,amount,quantity"))
    assert figures(tmp_path) == usual
    assert findings.read_as.endswith("paid: amount")


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
    assert row_of(tmp_path, "anna")["historic_value"] == 1233567.89


def test_a_number_in_the_other_way_of_writing_is_set_aside_rather_than_taken_for_another(tmp_path: Path) -> None:
    rows = [(customer, day, amount.replace(".", ",")) for customer, day, amount in regular_rows()]
    findings = scored(written(tmp_path / "a.csv", [*rows, ("c000", "2025-02-01", "12.50")], separator=";"))
    assert findings.rows.set_aside == {"not a number": 1}


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


def test_scores_are_written_as_text_too(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", regular_rows())
    scored(path, out=tmp_path / "scores.csv")
    scored(path)
    text, table = read_back(tmp_path / "scores.csv"), read_back(tmp_path / "scores.parquet")
    assert [list(row) for row in text] == [list(row) for row in table]
    assert [row["clv"] for row in text] == pytest.approx([row["clv"] for row in table])


def test_lines_that_end_in_two_ways_and_blank_lines_above_the_names_do_no_harm(tmp_path: Path, usual: Figures) -> None:
    path = written(tmp_path / "a.csv", regular_rows())
    head, _, rest = path.read_text().partition("\n")
    path.write_bytes(f"\n\n{head}\r\n{rest}".encode())
    assert scored(path).rows.set_aside == {}
    assert figures(tmp_path) == usual
