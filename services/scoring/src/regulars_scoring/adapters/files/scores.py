"""The file of scores: one row per customer, in the order of their names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from regulars_scoring.adapters.files.bench import Bench, identifier
from regulars_scoring.adapters.files.statements import Column

FIGURES = "figures"


def write_scores(bench: Bench, figures: Mapping[str, Column], as_of: str, unit: int, target: Path) -> None:
    """Write the states of the table `customers`, and beside them the figures, which are in its order.

    Parquet or CSV by the suffix. `unit` is how many minor units make a major one. Raises `WrongUse`.
    """
    (size,) = bench.row("SELECT count(*) FROM customers")
    assert all(column.size == size for column in figures.values())
    bench.lend(FIGURES, figures)
    try:
        bench.copy(_select(figures, as_of, unit), target)
    finally:
        bench.take_back(FIGURES)


def _select(figures: Mapping[str, Column], as_of: str, unit: int) -> str:
    names = ", ".join(f"f.{identifier(name)}" for name in figures if name != "place")
    return f"""
        SELECT c.customer AS customer, c.last_day - c.first_day AS recency, c.x AS frequency,
               DATE '{as_of}' - c.first_day AS "T",
               CASE WHEN c.x > 0 THEN c.repeat_minor / {unit} / c.x END AS monetary,
               {names}, c.total_minor / {unit} AS historic_value
        FROM customers c JOIN {FIGURES} f ON c.place = f.place ORDER BY c.place
    """
