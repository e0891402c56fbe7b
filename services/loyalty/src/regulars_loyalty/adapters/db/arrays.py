"""Arrays as a statement takes them: most are written out as the text of an array, and cast by the statement.

asyncpg looks at each element of an array for so long that a batch of purchases would spend much of its time there.
What it is quicker at, ids and bytes, is left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any


def array(kind: str, values: Sequence[Any]) -> object:
    """The values, of which any may be None, for a parameter that is cast with `cast(kind)`. JSON comes as text."""
    write = _WRITERS.get(kind)
    if write is None:
        return values
    return "{" + ",".join(write(values)) + "}" if values else "{}"


def cast(kind: str) -> str:
    """What stands behind the parameter of a `kind[]`."""
    return f"::text::{kind}[]" if kind in _WRITERS else f"::{kind}[]"


def _is_one(values: Sequence[object]) -> bool:
    """Whether all are the same: one instant, one programme, nothing. Such columns are written once."""
    return values.count(values[0]) == len(values)


def _plain(values: Sequence[object]) -> list[str]:
    if _is_one(values):
        return ["NULL" if values[0] is None else str(values[0])] * len(values)
    return ["NULL" if value is None else str(value) for value in values]


def _instants(values: Sequence[datetime | None]) -> list[str]:
    return ["NULL" if value is None else _instant(value) for value in values]


# One instant of a purchase stands in four tables.
_instant = lru_cache(maxsize=4096)(datetime.isoformat)


def _texts(values: Sequence[str | None]) -> list[str]:
    if _is_one(values):
        return [_quoted(values[0])] * len(values)
    joined = "".join([value for value in values if value])
    if '"' in joined or "\\" in joined:
        return [_quoted(value) for value in values]
    return ["NULL" if value is None else f'"{value}"' for value in values]


def _quoted(value: str | None) -> str:
    return "NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


_WRITERS: Mapping[str, Callable[[Sequence[Any]], list[str]]] = {
    **dict.fromkeys(("bigint", "int", "date"), _plain),
    **dict.fromkeys(("text", "jsonb"), _texts),
    "timestamptz": _instants,
}
