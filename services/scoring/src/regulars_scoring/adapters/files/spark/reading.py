"""A file's entries by Spark: each split is read by DuckDB, by the same statement as a whole file is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from regulars_scoring.adapters.files.asking import Asking
from regulars_scoring.adapters.files.bench import Bench, a_bench
from regulars_scoring.adapters.files.ledger import Ledger, gather_entries, ledger_from, reading, write_rejects
from regulars_scoring.adapters.files.refusals import WrongUse
from regulars_scoring.adapters.files.rows import Rows, rows_of
from regulars_scoring.adapters.files.spark.bench import SparkBench
from regulars_scoring.adapters.files.spark.splits import Split, parquet_splits, quotes_of, relation_of, text_splits
from regulars_scoring.adapters.files.spark.targets import a_folder, part_of
from regulars_scoring.adapters.files.table import Table, table_of

ROWS = 1_000_000
BYTES = 64 << 20
"""Of a split, about."""

_SCHEMA = (
    "reason tinyint, customer {customer}, day date, currency string, is_counted boolean, net bigint, returns bigint, "
    "rows bigint"
)
_PART = """
    SELECT CAST(reason AS TINYINT), CAST(customer AS {customer}), CAST(day AS DATE), CAST({currency} AS VARCHAR),
           CAST({is_counted} AS BOOLEAN), CAST(net AS BIGINT), CAST(returns AS BIGINT), CAST(rows AS BIGINT)
    FROM entries
"""
# A customer's day may lie in many splits.
_TOGETHER = """
    SELECT reason, customer, day, currency, is_counted, CAST(sum(net) AS BIGINT) AS net,
           CAST(sum(returns) AS BIGINT) AS returns, CAST(sum(rows) AS BIGINT) AS rows
    FROM parts GROUP BY reason, customer, day, currency, is_counted
"""
_AS_THEY_ARE = re.compile(r"TINYINT|SMALLINT|INTEGER|BIGINT|FLOAT|DOUBLE|DATE|DECIMAL\(.*\)")
_WIDER = {
    "UTINYINT": "SMALLINT",
    "USMALLINT": "INTEGER",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DECIMAL(20, 0)",
    "HUGEINT": "DECIMAL(38, 0)",
}
"""Of DuckDB's types of a customer's name those that Spark has, and what the others fit into; else it is a text."""


@dataclass(frozen=True, slots=True)
class _File:
    """What a task has to know to read its split."""

    path: Path
    table: Table
    rows: Rows
    splits: Sequence[Split]
    customer: str

    def entries(self, number: int) -> list[Any]:
        with a_bench() as bench:
            self._gather(bench, number)
            currency, is_counted = ("currency", "is_counted") if self.rows.has_currencies else ("''", "true")
            return bench.batches(_PART.format(customer=self.customer, currency=currency, is_counted=is_counted))

    def rejects(self, number: int, target: Path) -> None:
        with a_bench() as bench:
            write_rejects(bench, self.table, self._gather(bench, number), target)

    def _gather(self, bench: Bench, number: int) -> Rows:
        # Spark gives each task one processor.
        bench.rows("SET threads = 1")
        relation = relation_of(self.table, self.splits[number], bench.folder)
        rows = replace(self.rows, relation=relation)
        with reading(self.path):
            gather_entries(bench, self.table, rows, lambda _: None)
        return rows


def ledger_on_spark(bench: SparkBench, asking: Asking, rejects: Path | None) -> Ledger:
    """As `ledger_of`; the rows set aside go to a folder of files.

    What must be known of the file before, such as how its dates are written, is found out on this machine.
    """
    # Tasks may work in another folder.
    asking = replace(asking, path=asking.path.resolve())
    with a_bench() as reader:
        table = table_of(reader, asking)
        if table.source != asking.path:
            raise WrongUse(
                f"Spark reads text in UTF-8 whose lines all end alike, and {asking.path} is otherwise: write it so, or "
                "leave out --engine spark"
            )
        with reading(asking.path):
            rows = rows_of(reader, table, asking)
            customer = _type_of_customers(reader, rows)
            splits = _splits(bench, reader, table)
    file = _File(asking.path, table, rows, splits, customer)
    if rejects is not None:
        _write_rejects(bench, file, rejects)
    schema = _SCHEMA.format(customer=customer.replace("VARCHAR", "STRING"))
    bench.keep_of_tasks("entries", len(splits), file.entries, schema, _TOGETHER)
    return ledger_from(bench, asking, table, rows)


def _type_of_customers(reader: Bench, rows: Rows) -> str:
    (found,) = (each[1] for each in reader.rows(f'DESCRIBE SELECT "our customer" FROM ({rows.select})'))
    return found if _AS_THEY_ARE.fullmatch(found) else _WIDER.get(found, "VARCHAR")


def _splits(bench: SparkBench, reader: Bench, table: Table) -> Sequence[Split]:
    if not table.is_text:
        return parquet_splits(reader, table, ROWS)
    return text_splits(table, lambda splits: _quotes(bench, table.source, splits), BYTES)


def _quotes(bench: SparkBench, source: Path, splits: Sequence[Split]) -> list[int]:
    def count(number: int) -> list[Any]:
        return [pa.record_batch({"number": [number], "quotes": [quotes_of(source, splits[number])]})]

    found = bench.in_tasks(len(splits), count, "number bigint, quotes bigint").collect()
    return [quotes for _, quotes in sorted(found)]


def _write_rejects(bench: SparkBench, file: _File, target: Path) -> None:
    with a_folder(target) as partly:
        partly.mkdir()

        def write(number: int) -> list[Any]:
            file.rejects(number, part_of(partly, number, target.suffix))
            return []

        bench.in_tasks(len(file.splits), write, "nothing bigint").collect()
