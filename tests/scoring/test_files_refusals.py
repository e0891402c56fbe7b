"""What cannot be scored is refused in words that say what to do, and nothing is left behind."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from regulars_scoring.adapters.files.refusals import WrongUse
from regulars_scoring.domain.refusals import TooFewPurchases
from scoring.files_shop import CDNOW, ONLINE_RETAIL, regular_rows, scored, written


def refused(path: Path, **said: Any) -> str:
    with pytest.raises(WrongUse) as refusal:
        scored(path, **said)
    words = str(refusal.value)
    assert "\n" not in words
    return words


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere.csv", out=tmp_path / "o.csv").startswith("there is no file ")


def test_a_folder(tmp_path: Path) -> None:
    assert "is a folder; name a CSV or Parquet file" in refused(tmp_path, out=tmp_path / "o.csv")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "nothing but blank lines"),
        (b"customer,date,amount\n", "holds no purchase: give a file with a purchase in each row"),
        (b"customer,date,amount", "holds no purchase"),
        (b"customer,date,amount\n,2025-01-01,5\nanna,soon,5\n", "set aside: 1 rows, no customer, 1 rows, not a date"),
        (b"customer,date,amount\nanna,2025-01-01,-5\n", "all of its amounts are returns"),
        (b"customer,date,date,amount\nanna,2025-01-01,5,5\n", "the first line has to name every column, each once"),
        (b"customer,,amount\nanna,2025-01-01,5\n", "the first line has to name every column, each once"),
        (b"PK\x03\x04\x00\x00\x00", "neither text nor Parquet; save a spreadsheet as CSV"),
        (b"PAR1 and no more of it", "begins as Parquet and cannot be read as such"),
    ],
)
def test_a_file_that_holds_no_purchases(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert words in refused(path)
    assert [path] == list(tmp_path.iterdir())


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", regular_rows(), "who,date,amount")
    assert refused(path).endswith("is the customer? Say it by --customer; it has who, date, amount")
    assert refused(path, customer="whom").endswith("has no column whom; it has who, date, amount")


def test_a_file_without_names_shows_what_was_taken_for_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("anna,2025-01-01,5.00\nanna,2025-02-01,5.00\n")
    assert "Say it by --customer; it has anna, 2025-01-01, 5.00" in refused(path)


def test_a_day_before_all_purchases() -> None:
    words = refused(CDNOW, out=Path("/tmp/never-written.csv"), as_of=date(1990, 1, 1))
    assert words == "the first purchase is of 1997-01-01, after 1990-01-01: give a later day by --as-of"


def test_parquet_with_a_hole_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    whole = ONLINE_RETAIL.read_bytes()
    hole = slice(len(whole) // 2, len(whole) * 9 // 10)
    path.write_bytes(whole[: hole.start] + b"\0" * (hole.stop - hole.start) + whole[hole.stop :])
    names = {"customer": "CustomerID", "date": "InvoiceDate", "amount": "UnitPrice"}
    assert "cannot be read" in refused(path, **names)


def test_columns_that_are_no_values(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1 AS customer, [5] AS date, [5] AS amount) TO '{path}'").fetchall()
    assert refused(path)


def test_a_packed_file_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(CDNOW.read_bytes())[:5_000])
    assert "cannot be read to its end" in refused(path)


def test_an_encoding_that_nobody_knows(tmp_path: Path) -> None:
    for name in ("klingon", "base64"):
        assert f"is called {name}; try utf-8" in refused(written(tmp_path / "a.csv", regular_rows()), encoding=name)


def test_rates_without_currencies(tmp_path: Path) -> None:
    words = refused(written(tmp_path / "a.csv", regular_rows()), rates={"USD": Decimal("0.79")})
    assert words.endswith("no column of " + str(tmp_path / "a.csv") + " says the currency: name it by --currency")


def test_a_separator_of_two_characters(tmp_path: Path) -> None:
    assert "one character" in refused(written(tmp_path / "a.csv", regular_rows()), separator="::")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (lambda here: {"out": here / "scores.xlsx"}, "has to end with .parquet or .pq or .csv"),
        (lambda here: {"report": here / "report.pdf"}, "has to end with .html or .htm"),
        (lambda here: {"out": here / "no" / "scores.csv"}, "make it first"),
        (lambda here: {"out": here / "a.csv"}, "named twice"),
        (lambda here: {"rejects": here / "scores.parquet"}, "named twice"),
        (lambda here: {"out": Path("/proc/scores.csv")}, "cannot be written: name a folder that is yours"),
        (lambda here: {"report": Path("/proc/report.html")}, "cannot be written: name a folder that is yours"),
        (lambda here: {"rejects": Path("/proc/rejects.csv")}, "cannot be written: name a folder that is yours"),
    ],
)
def test_a_place_that_cannot_be_written_to(tmp_path: Path, said: Callable[[Path], dict[str, Path]], words: str) -> None:
    assert words in refused(written(tmp_path / "a.csv", regular_rows()), **said(tmp_path))


def test_a_place_without_the_right_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Who runs tests as root may write everywhere.
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "may not be written to" in refused(written(tmp_path / "a.csv", regular_rows()))


def test_a_refusal_leaves_the_results_of_the_last_run_as_they_were(tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    out.write_text("from the last run")
    refused(written(tmp_path / "a.csv", []), out=out)
    assert out.read_text() == "from the last run"


@pytest.mark.parametrize("rows", [[("anna", "2025-01-01", "5")], [("anna", f"2025-01-0{day}", "5") for day in "123"]])
def test_one_customer_is_too_few_for_a_fit(tmp_path: Path, rows: list[tuple[str, str, str]]) -> None:
    rejects = tmp_path / "rejects.csv"
    with pytest.raises(TooFewPurchases, match="a fit takes 10 customers who have bought again"):
        scored(written(tmp_path / "a.csv", [*rows, ("", "2025-01-01", "5")]), rejects=rejects)
    # What was set aside may be the reason.
    assert "no customer" in rejects.read_text()
