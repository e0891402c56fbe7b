"""Spark as the one who carries out statements, and as the one who hands splits of a file to tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as f

from regulars_scoring.adapters.files.statements import Column

Batches = Iterable[Any]
"""Of Arrow."""


class SparkBench:
    def __init__(self, session: SparkSession) -> None:
        self._session = session

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.frame(statement, parameters).collect()]

    def row(self, statement: str, parameters: Sequence[object] = ()) -> tuple[Any, ...]:
        return self.rows(statement, parameters)[0]

    def columns(self, statement: str, parameters: Sequence[object] = ()) -> dict[str, Column]:
        table = self.frame(statement, parameters).toArrow()
        return {name: table[name].to_numpy() for name in table.column_names}

    def frame(self, statement: str, parameters: Sequence[object] = ()) -> DataFrame:
        return self._session.sql(statement, args=list(parameters) or None)

    def keep(self, name: str, select: str) -> None:
        self._keep(name, self.frame(select))

    def keep_in_order(self, name: str, select: str, by: str) -> None:
        running = self.running(f"SELECT *, 1 AS weight FROM ({select})", by, "weight", "place")
        self._keep(name, running.drop("weight"))

    def running(self, select: str, by: str, weight: str, before: str) -> DataFrame:
        """The result with a column more: the sum of the weights of all rows whose `by` is less.

        Each range of `by` is a partition that sums up for itself and begins with the sum of those before it: no task
        sees all rows.
        """
        ranges = self.frame(select).repartitionByRange(by).withColumn("range", f.spark_partition_id()).persist()
        sums = dict(ranges.groupBy("range").agg(f.sum(weight)).collect())
        begins = [sum(size for place, size in sums.items() if place < each) for each in range(max(sums, default=0) + 1)]
        begin = f.element_at(f.array(*(f.lit(each).cast("bigint") for each in begins)), f.col("range") + 1)
        inside = f.sum(weight).over(Window.partitionBy("range").orderBy(by)) - f.col(weight)
        return ranges.withColumn(before, begin + inside).drop("range")

    def call(self, name: str, select: str) -> None:
        self.frame(select).createOrReplaceTempView(name)

    def spread(self, name: str, columns: Mapping[str, Column]) -> None:
        """Let statements read these columns as a table; every executor is sent all of them."""
        f.broadcast(self._session.createDataFrame(pa.table(dict(columns)))).createOrReplaceTempView(name)

    def in_tasks(self, count: int, work: Callable[[int], Batches], schema: str) -> DataFrame:
        """What comes of so many pieces of work, each in a task of its own that is given its number."""

        def worked(batches: Batches) -> Batches:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    yield from work(number)

        return self._session.range(0, count, 1, count).mapInArrow(worked, schema)

    def keep_of_tasks(self, name: str, count: int, work: Callable[[int], Batches], schema: str, select: str) -> None:
        """Keep a statement's result over what comes of such work, which it reads as `parts`."""
        self.in_tasks(count, work, schema).createOrReplaceTempView("parts")
        self.keep(name, select)

    def _keep(self, name: str, frame: DataFrame) -> None:
        frame.persist().createOrReplaceTempView(name)
