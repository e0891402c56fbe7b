"""How the dates of a file are written, found out or said."""

from __future__ import annotations

from regulars_scoring.adapters.files.bench import Bench, identifier, literal
from regulars_scoring.adapters.files.refusals import WrongUse
from regulars_scoring.adapters.files.table import Table

_DAYS = (
    "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%Y%m%d",
    "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d-%b-%y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_LOOKED_AT = 1_000
FIRST_DAY = "DATE '1900-01-01'"
"""No day of a file is earlier."""
_ISO = "iso"


def date_of(bench: Bench, table: Table, name: str, said: str | None) -> str:
    """An expression for the day of a row, NULL where there is none: of an instant the day in UTC, of a text the day
    as it is written, whatever offset follows. Raises `WrongUse` where day and month cannot be told apart.
    """
    column, kind = identifier(name), table.types[name]
    if kind.startswith(("DATE", "TIMESTAMP")):
        return _sensible(f"TRY_CAST({column} AS DATE)")
    text = f"trim(CAST({column} AS VARCHAR))"
    written = said or _found(bench, table, text, name)
    return _sensible(_parsed(text, written))


def _sensible(day: str) -> str:
    """Spreadsheets fill what they do not know with years far away, and calendars end somewhere."""
    return f"CASE WHEN {day} BETWEEN {FIRST_DAY} AND DATE '2999-12-31' THEN {day} END"


def _parsed(text: str, written: str) -> str:
    if written == _ISO:
        return f"TRY_CAST({text} AS DATE)"
    formats = ", ".join(literal(written + time) for time in _TIMES)
    return f"CAST(try_strptime({text}, [{formats}]) AS DATE)"


def _found(bench: Bench, table: Table, text: str, name: str) -> str:
    """The way that makes dates of most rows; where the first rows leave it open, all are asked."""
    best = _best(bench, f"(FROM {table.relation} LIMIT {_LOOKED_AT})", text, (_ISO, *_DAYS))
    if len(best) > 1:
        best = _best(bench, table.relation, text, best)
    # The same days by both: with and without a leading nought, or a year of two digits.
    if len(best) > 1 and _differ(bench, table.relation, text, best[0], best[1]):
        ways = " or ".join(f'"{way}"' for way in best[:2])
        raise WrongUse(f"the dates in {name} can be read in more than one way: say --date-format {ways}")
    return best[0]


def _best(bench: Bench, relation: str, text: str, ways: tuple[str, ...]) -> tuple[str, ...]:
    counts = bench.row(f"SELECT {', '.join(f'count({_sensible(_parsed(text, way))})' for way in ways)} FROM {relation}")
    return tuple(way for way, count in zip(ways, counts, strict=True) if count == max(counts))


def _differ(bench: Bench, relation: str, text: str, one: str, other: str) -> bool:
    question = f"SELECT count(*) FROM {relation} WHERE {_parsed(text, one)} <> {_parsed(text, other)}"
    return bool(bench.row(question)[0])
