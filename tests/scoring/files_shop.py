"""Files of purchases as shops write them, and what is made of them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from regulars_scoring.adapters.files.asking import Asking, Columns, Dialect
from regulars_scoring.domain.findings import Findings
from regulars_scoring.files import Order, score_file
from scoring import cdnow

ROOT = Path(__file__).parents[2]
ONLINE_RETAIL = ROOT / "deploy/embedded/src/regulars/samples/online_retail.parquet"
OF_ONLINE_RETAIL = {"customer": "CustomerID", "date": "InvoiceDate", "amount": "UnitPrice", "quantity": "Quantity"}
CDNOW = cdnow.FILE
TODAY = date(2026, 6, 30)

Row = tuple[str, str, str]
"""Customer, date, amount, as they are written."""

Figures = list[tuple[Any, ...]]


def regular_rows(customers: int = 30, seed: int = 11) -> list[Row]:
    """A year of customers of whom most come again: enough for a fit, and for one that leaves out the last 90 days."""
    chance = random.Random(seed)
    rows = []
    for number in range(customers):
        day = date(2025, 1, 1) + timedelta(days=chance.randint(0, 60))
        while day <= date(2025, 12, 31):
            rows.append((f"c{number:03d}", day.isoformat(), f"{chance.randint(500, 9000) / 100:.2f}"))
            if chance.random() < 0.12:
                break
            day += timedelta(days=1 + int(chance.expovariate(1 / 30)))
    return rows


def written(
    path: Path, rows: Iterable[Sequence[str]], names: str = "customer,date,amount", separator: str = ",", **said: str
) -> Path:
    """A text file of these rows, under a first line of names."""
    lines = [names.replace(",", separator), *(separator.join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", **said)
    return path


def an_order(path: Path, out: Path | None = None, **said: Any) -> Order:
    """Scores beside the file; what is said goes to the order, or to what it asks of the file."""
    asking = Asking(path)
    for name in list(said):
        if name in Columns.__slots__:
            asking = replace(asking, columns=replace(asking.columns, **{name: said.pop(name)}))
        elif name in Dialect.__slots__:
            asking = replace(asking, dialect=replace(asking.dialect, **{name: said.pop(name)}))
        elif name in ("reporting_currency", "rates"):
            value = said.pop(name)
            asking = replace(asking, **{"currency" if name == "reporting_currency" else name: value})
    return Order(asking, out or path.parent / "scores.parquet", TODAY, **said)


def scored(path: Path, **said: Any) -> Findings:
    return score_file(an_order(path, **said), lambda step, share: None)


def read_back(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of scores, in its order."""
    reader = "read_csv(?, header = true)" if path.suffix == ".csv" else "read_parquet(?)"
    with duckdb.connect() as connection:
        result = connection.execute(f"SELECT * FROM {reader}", [str(path)])
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def figures(folder: Path) -> Figures:
    """Every figure of the scores beside a file, without the names of the customers."""
    return [tuple(row.values())[1:] for row in read_back(folder / "scores.parquet")]


def row_of(folder: Path, customer: str) -> dict[str, Any]:
    """What the scores beside a file say of a customer."""
    return next(row for row in read_back(folder / "scores.parquet") if row["customer"] == customer)
