"""A DuckDB of our own in a temporary folder: what does not fit its memory is put there, and all goes at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from regulars_scoring.adapters.files.refusals import WrongUse
from regulars_scoring.adapters.files.statements import Column
from regulars_scoring.adapters.files.targets import as_a_whole

MEMORY = "600MB"
"""DuckDB's share; the columns of the customers come on top of it."""
LOOK_EVERY_S = 0.1

Parameters = Sequence[object]
Share = Callable[[float], None]
"""Told how much of a statement is done, 0 to 1."""


class Bench:
    """Statements, one after the other. Results are always read to their end, as the connection demands."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._connection = connection
        self.folder = folder

    def rows(self, statement: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._connection.execute(statement, parameters).fetchall()
        return rows

    def row(self, statement: str, parameters: Parameters = ()) -> tuple[Any, ...]:
        return self.rows(statement, parameters)[0]

    def columns(self, statement: str, parameters: Parameters = ()) -> dict[str, Column]:
        """The result by columns; none of them may hold NULL."""
        return dict(self._connection.execute(statement, parameters).fetchnumpy())

    def batches(self, statement: str) -> list[Any]:
        """The result as Arrow's record batches."""
        batches: list[Any] = self._connection.sql(statement).to_arrow_table().to_batches()
        return batches

    def keep(self, name: str, select: str) -> None:
        self.rows(f"CREATE TEMP TABLE {name} AS {select}")

    def keep_in_order(self, name: str, select: str, by: str) -> None:
        # Numbered as they come out of the sort: a window with an order of its own takes three times as long.
        self.keep(name, f"SELECT row_number() OVER () - 1 AS place, * FROM (FROM ({select}) ORDER BY {by})")

    def call(self, name: str, select: str) -> None:
        self.rows(f"CREATE VIEW {name} AS {select}")

    def lend(self, name: str, columns: Mapping[str, Column]) -> None:
        """Let statements read these columns as a table."""
        self._connection.register(name, dict(columns))

    def take_back(self, name: str) -> None:
        self._connection.unregister(name)

    def copy(self, select: str, target: Path) -> None:
        """Write the result as Parquet or CSV, by the suffix. Raises `WrongUse` where the place cannot be written to."""
        shape = "CSV, HEADER" if target.suffix.lower() == ".csv" else "PARQUET"
        with as_a_whole(target) as partly:
            try:
                self.rows(f"COPY ({select}) TO {literal(str(partly))} (FORMAT {shape})")
            except duckdb.IOException as error:
                raise OSError(str(error)) from None

    def watched(self, statement: str, tell: Share) -> list[tuple[Any, ...]]:
        """As `rows`, telling how far it is; Ctrl-C stops it."""
        with ThreadPoolExecutor(1) as beside:
            work = beside.submit(self.rows, statement)
            try:
                while not wait([work], LOOK_EVERY_S).done:
                    tell(max(0.0, self._connection.query_progress()) / 100.0)
            except KeyboardInterrupt:
                self._connection.interrupt()
                raise
            return work.result()


@contextmanager
def a_bench() -> Iterator[Bench]:
    """Raises `WrongUse` where the work takes more memory or space than there is."""
    with TemporaryDirectory(prefix="regulars-score-") as folder, _connected(folder) as connection:
        # Days are those of the file, whatever the machine's zone is.
        for setting in ("TimeZone = 'UTC'", "enable_progress_bar = true", "enable_progress_bar_print = false"):
            connection.execute(f"SET {setting}").fetchall()
        connection.execute("CREATE MACRO days_between(earlier, later) AS later - earlier").fetchall()
        try:
            yield Bench(connection, Path(folder))
        except duckdb.InterruptException:
            raise KeyboardInterrupt from None
        except RuntimeError as error:
            # So DuckDB says it where Ctrl-C meets a statement of the main thread.
            if str(error) == "Query interrupted":
                raise KeyboardInterrupt from None
            raise
        except duckdb.OutOfMemoryException:
            raise WrongUse(f"the memory or the space for temporary files ({folder}) does not suffice") from None


def _connected(folder: str) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(Path(folder) / "bench.duckdb"), config=_config(folder))


def _config(folder: str) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "memory_limit": MEMORY,
        "temp_directory": folder,
        # No program is fetched in passing.
        "autoinstall_known_extensions": False,
        "preserve_insertion_order": False,
    }


def identifier(name: str) -> str:
    """A name as SQL reads it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL reads it."""
    return "'" + text.replace("'", "''") + "'"


def dated(day: date) -> str:
    """A day as SQL reads it."""
    return f"DATE '{day.isoformat()}'"


def whole(column: Column) -> NDArray[np.int64]:
    return np.asarray(column, dtype=np.int64)
