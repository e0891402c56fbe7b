"""Both engines on the same files, every score compared. Part of `make soak` alone: Spark takes its time, and 600 MB."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from regulars_scoring.adapters.files.refusals import WrongUse
from regulars_scoring.domain.findings import Findings
from regulars_scoring.files import score_file
from regulars_scoring.spark import score_on_spark
from scoring.files_shop import OF_ONLINE_RETAIL, ONLINE_RETAIL, Row, an_order, regular_rows, written

# What Spark warns of in itself is Spark's to mend.
pytestmark = pytest.mark.filterwarnings("default")

MILLION = 1_000_000
CLOSE = 1e-9
"""Relative: sums in another order may differ in their last digits."""


def silent(step: str, share: float) -> None:
    pass


def by_both(path: Path, folder: Path, **said: Any) -> tuple[Findings, Findings]:
    """What DuckDB and Spark find; their scores are in the folder, and rejects where they are asked for."""
    has_rejects = said.pop("has_rejects", False)
    orders = [
        replace(
            an_order(path, folder / f"{engine}.parquet", **said),
            report=folder / f"{engine}.html",
            rejects=folder / f"{engine}-rejects.csv" if has_rejects else None,
        )
        for engine in ("duckdb", "spark")
    ]
    return score_file(orders[0], silent), score_on_spark(orders[1], silent)


def assert_scores_are_the_same(folder: Path, customers: int) -> None:
    """Column by column, and in the same order: the parts of the folder one after another."""
    with duckdb.connect() as connection:
        for engine, source in (("duckdb", folder / "duckdb.parquet"), ("spark", folder / "spark.parquet/*.parquet")):
            read = f"SELECT row_number() OVER () AS place, * FROM read_parquet('{source}')"
            connection.execute(f"CREATE TABLE {engine} AS {read}").fetchall()
        one, other = (connection.execute(f"DESCRIBE {engine}").fetchall() for engine in ("duckdb", "spark"))
        assert one == other
        assert {connection.execute(f"SELECT count(*) FROM {engine}").fetchone() for engine in ("duckdb", "spark")} == {
            (customers,)
        }
        for name, kind, *_ in one:
            differ = f'd."{name}" IS DISTINCT FROM s."{name}"'
            if kind == "DOUBLE":
                differ += f' AND NOT coalesce(abs(d."{name}" - s."{name}") <= {CLOSE} * abs(d."{name}"), false)'
            join = "duckdb d JOIN spark s ON d.place = s.place"
            found = connection.execute(f'SELECT d.customer, d."{name}", s."{name}" FROM {join} WHERE {differ} LIMIT 3')
            assert found.fetchall() == [], name


def assert_findings_are_the_same(duckdb_: Findings, spark: Findings) -> None:
    assert spark.rows == duckdb_.rows
    for name in ("read_as", "first_day", "customers", "repeat_customers", "never_kept", "notes", "cells", "triangle"):
        assert getattr(spark, name) == getattr(duckdb_, name), name
    assert spark.model.name == duckdb_.model.name
    assert (spark.model.cuts, spark.model.cycles) == (duckdb_.model.cuts, duckdb_.model.cycles)
    for one, other in zip(duckdb_.segments, spark.segments, strict=True):
        assert replace(other, clv=0.0) == replace(one, clv=0.0)
        assert other.clv == pytest.approx(one.clv, rel=CLOSE)
    for tenth, same in zip(duckdb_.tenths, spark.tenths, strict=True):
        assert replace(same, expected_value_major=0.0) == replace(tenth, expected_value_major=0.0)
        assert same.expected_value_major == pytest.approx(tenth.expected_value_major, rel=CLOSE)


def test_a_real_shops_year_has_the_same_scores_by_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regulars_scoring.adapters.files.spark.reading.ROWS", 100_000)
    found, by_spark = by_both(ONLINE_RETAIL, tmp_path, has_rejects=True, **OF_ONLINE_RETAIL)
    assert by_spark.rows.set_aside == {"no customer": 135_080}
    assert_findings_are_the_same(found, by_spark)
    assert_scores_are_the_same(tmp_path, found.customers)
    assert by_spark.hindsight is not None and found.hindsight is not None
    assert by_spark.hindsight.weeks == found.hindsight.weeks
    assert len(rows_of(tmp_path / "spark-rejects.csv")) == 135_080
    assert "<svg" in (tmp_path / "spark.html").read_text()


def test_a_million_customers_have_the_same_scores_by_both(tmp_path: Path) -> None:
    path = tmp_path / "purchases.parquet"
    write_simulated(path, MILLION)
    found, by_spark = by_both(path, tmp_path)
    assert found.customers > 0.99 * MILLION
    assert_findings_are_the_same(found, by_spark)
    assert_scores_are_the_same(tmp_path, found.customers)
    assert by_spark.hindsight is not None


def write_simulated(path: Path, customers: int, seed: int = 5) -> None:
    """Three years of customers who begin, buy at a rate of their own, leave some day, and now and then return all."""
    chance = np.random.default_rng(seed)
    begins = chance.integers(0, 1_000, customers)
    lives = np.minimum(1_095 - begins, chance.exponential(1.0, customers) / (chance.gamma(0.7, size=customers) / 150))
    sizes = 1 + chance.poisson(chance.gamma(0.8, size=customers) / 60 * lives)
    customer = np.repeat(np.arange(customers), sizes)
    day = begins[customer] + np.ceil(chance.uniform(0, lives[customer])).astype(np.int64)
    # Everybody's first purchase is on the day they begin.
    first = np.cumsum(sizes) - sizes
    day[first] = begins
    spend = np.exp(chance.normal(3.5, 0.7, customers))[customer] * chance.gamma(4.0, 0.25, customer.size)
    sign = np.where(chance.random(customer.size) < 0.02, -1, 1)
    rows = {"customer": customer, "day": day, "amount": np.round(spend, 2) * sign}
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        select = "SELECT customer, DATE '2023-01-01' + day::INTEGER AS date, amount FROM rows"
        connection.execute(f"COPY ({select}) TO '{path}'").fetchall()


def unlike_rows(customers: int) -> list[Row]:
    """Of customers of whom some spend many times as much as others: where all spend alike, a fit of spend is flat."""
    rows = regular_rows(customers)
    return [(name, day, f"{float(amount) * 1.3 ** (int(name[1:]) % 12):.2f}") for name, day, amount in rows]


UNTIDY: Mapping[str, list[Row]] = {
    "no customer": [("", "2025-01-02", "5,00"), (" ", "2025-01-03", "6,00")],
    "not a date": [("anna", "soon", "5,00")],
    "no amount": [("anna", "2025-03-01", "")],
    "not a number": [("anna", "2025-03-01", "much")],
}


def test_an_untidy_text_is_read_alike_by_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decimal commas, lines that end within quotes, several currencies; parted into splits of a few lines."""
    monkeypatch.setattr("regulars_scoring.adapters.files.spark.reading.BYTES", 4_000)
    rows = [(f'"{name}\nthe ""{name}"""', day, amount.replace(".", ",")) for name, day, amount in unlike_rows(60)]
    untidy = [row for kind in UNTIDY.values() for row in kind]
    lines = [(*row, "USD" if number % 7 == 0 else "EUR") for number, row in enumerate([*rows, *untidy])]
    broken = [("one", "field", "too", "many", "here")] * 3
    path = written(tmp_path / "a.csv", [*lines[:40], *broken, *lines[40:]], "customer,date,amount,currency", ";")
    found, by_spark = by_both(path, tmp_path, has_rejects=True, rates={"USD": Decimal("0.8")})
    assert by_spark.rows.set_aside == {**{kind: len(rows) for kind, rows in UNTIDY.items()}, "broken line": 3}
    assert by_spark.rows.converted["USD"] > 50
    assert_findings_are_the_same(found, by_spark)
    assert_scores_are_the_same(tmp_path, found.customers)
    assert rows_of(tmp_path / "spark-rejects.csv") == rows_of(tmp_path / "duckdb-rejects.csv")


def rows_of(table: Path) -> list[list[str]]:
    """In any order, without the names of the columns."""
    parts = sorted(table.glob("*.csv")) if table.is_dir() else [table]
    rows = []
    for part in parts:
        with part.open(newline="") as file:
            rows += list(csv.reader(file))[1:]
    return sorted(rows)


def test_spends_that_are_too_many_are_told_apart_roughly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values then differ by far less than a thousandth."""
    monkeypatch.setattr("regulars_scoring.adapters.files.spark.tables.MOST_ROWS", 100)
    path = written(tmp_path / "a.csv", unlike_rows(400))
    found, by_spark = by_both(path, tmp_path)
    whole, rough = found.model.spending, by_spark.model.spending
    assert (rough.p, rough.q, rough.v) != (whole.p, whole.q, whole.v)
    assert (rough.p, rough.q, rough.v) == pytest.approx((whole.p, whole.q, whole.v), rel=1e-3)


def test_a_result_of_spark_is_written_anew_and_nothing_else_is(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", regular_rows())
    order = an_order(path, tmp_path / "scores.csv", horizon_days=60)
    for _ in range(2):
        score_on_spark(order, silent)
    assert len(rows_of(tmp_path / "scores.csv")) == 30
    assert {each.name for each in tmp_path.iterdir()} == {"a.csv", "scores.csv"}
    (tmp_path / "mine.csv").mkdir()
    with pytest.raises(WrongUse, match="no folder that Spark has written"):
        score_on_spark(replace(order, out=tmp_path / "mine.csv"), silent)


def test_what_spark_cannot_read_is_said(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", [(f"Müller {name}", *rest) for name, *rest in regular_rows()], encoding="cp1252")
    with pytest.raises(WrongUse, match="UTF-8 whose lines all end alike"):
        score_on_spark(an_order(path), silent)
    torn = tmp_path / "torn.parquet"
    write_simulated(torn, 5_000)
    content = bytearray(torn.read_bytes())
    content[1_000:9_000] = bytes(8_000)
    torn.write_bytes(content)
    with pytest.raises(WrongUse, match="cannot be read to its end"):
        score_on_spark(an_order(torn), silent)
