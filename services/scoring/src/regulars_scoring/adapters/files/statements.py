"""Who carries out the statements over a file's entries: DuckDB on this machine, or Spark on many. The text is one.

Both read double quotes around names, `FILTER (WHERE …)`, `min_by`, `GROUP BY ALL` and `?`; what they differ in is a
method here, or the function `days_between(earlier, later)` that each is taught.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

Column = NDArray[Any]


class Statements(Protocol):
    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]: ...

    def row(self, statement: str, parameters: Sequence[object] = ()) -> tuple[Any, ...]: ...

    def columns(self, statement: str, parameters: Sequence[object] = ()) -> dict[str, Column]:
        """The result by columns; none of them may hold NULL."""
        ...

    def keep(self, name: str, select: str) -> None:
        """Let statements read this result by a name; it is worked out once."""
        ...

    def keep_in_order(self, name: str, select: str, by: str) -> None:
        """The same, with `place`: 0 for the row whose `by` is the least, 1 for the next. No two may be equal."""
        ...

    def call(self, name: str, select: str) -> None:
        """Let statements read this by a name; it is worked out by each of them."""
        ...
