"""The first line of a text file: its separator, and the names of its columns."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from regulars_scoring.adapters.files.refusals import WrongUse

SEPARATORS = (",", ";", "\t", "|")
_ESCAPED = {"\\t": "\t", "tab": "\t"}
_LINES_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Header:
    """`blank_lines` stand above it."""

    separator: str
    names: tuple[str, ...]
    blank_lines: int


def header_of(start: str, separator: str | None) -> Header:
    """The header of a file that starts so; without a separator, the one that parts the first lines most evenly.

    Raises `WrongUse` where a name is missing or stands twice.
    """
    all_lines = start.removeprefix("\ufeff").splitlines()
    lines = [line for line in all_lines if line.strip()][:_LINES_LOOKED_AT]
    if not lines:
        raise WrongUse("the file holds nothing but blank lines")
    found = _ESCAPED.get(separator, separator) if separator else max(SEPARATORS, key=lambda each: _rank(lines, each))
    if len(found) != 1:
        raise WrongUse("a separator is one character, such as ; or , (a tab is written \\t)")
    names = tuple(name.strip() for name in _fields(lines[0], found))
    if any(not name for name in names) or len({name.lower() for name in names}) < len(names):
        raise WrongUse(f"the first line has to name every column, each once; it says: {lines[0][:120]}")
    return Header(found, names, all_lines.index(lines[0]))


def _rank(lines: list[str], separator: str) -> tuple[int, int]:
    """How many lines are parted as the first one is, and into how many fields that is; none when into one."""
    counts = [len(_fields(line, separator)) for line in lines]
    return (sum(count == counts[0] for count in counts), counts[0]) if counts[0] > 1 else (0, 0)


def _fields(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])
