"""A file in splits that tasks can read on their own: rows of Parquet, or whole lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from regulars_scoring.adapters.files.bench import Bench, literal
from regulars_scoring.adapters.files.encoding import BLOCK
from regulars_scoring.adapters.files.header import Header
from regulars_scoring.adapters.files.table import Table, text_relation

_ROW_NUMBER = "file_row_number"
"""DuckDB's own column; it reads none of the row groups that a bound on it leaves out."""


@dataclass(frozen=True, slots=True)
class Split:
    """From `begin` until before `end`: rows, or bytes."""

    begin: int
    end: int


WHOLE = Split(0, -1)
"""A file that cannot be parted."""

QuotesIn = Callable[[Sequence[Split]], Sequence[int]]


def parquet_splits(bench: Bench, table: Table, rows: int) -> list[Split]:
    """Of whole row groups, of about so many rows."""
    if _ROW_NUMBER in (name.lower() for name in table.types):
        return [WHOLE]
    groups = bench.rows(
        f"SELECT row_group_id, min(row_group_num_rows) FROM parquet_metadata({literal(str(table.source))}) "
        "GROUP BY 1 ORDER BY 1"
    )
    ends = list(accumulate(size for _, size in groups))
    marks = [end for begin, end in pairwise([0, *ends]) if begin // rows < end // rows]
    return _between([0, *marks, *ends[-1:]]) or [WHOLE]


def text_splits(table: Table, quotes_in: QuotesIn, size: int) -> list[Split]:
    """Of whole lines, of about so many bytes: the header is in none of them.

    A mark with an odd number of quotes before it lies within quotes, and so does a line's end there: it parts nothing.
    """
    header = table.header
    assert header is not None
    marks = _marks(table.source, header, size)
    splits = _between(marks)
    if not splits or table.source.suffix.lower() == ".gz":
        return [WHOLE]
    quotes = accumulate(quotes_in(splits))
    outside = [split.end for split, before in zip(splits, quotes, strict=True) if before % 2 == 0]
    return _between([marks[0], *outside, marks[-1]])


def _marks(source: Path, header: Header, size: int) -> list[int]:
    """Where lines begin: the first below the header, and the next one after every so many bytes; and the end."""
    with source.open("rb") as file:
        for _ in range(header.blank_lines + 1):
            file.readline()
        begins = [file.tell()]
        end = file.seek(0, 2)
        for place in range(begins[0] + size, end, size):
            file.seek(place)
            file.readline()
            begins.append(file.tell())
    return [*begins, end]


def _between(marks: Sequence[int]) -> list[Split]:
    return [Split(begin, end) for begin, end in pairwise(marks) if begin < end]


def quotes_of(source: Path, split: Split) -> int:
    return sum(block.count(b'"') for block in _blocks(source, split))


def relation_of(table: Table, split: Split, folder: Path) -> str:
    """What follows FROM to read a split; lines are put into the folder first."""
    if split == WHOLE:
        return table.relation
    if table.header is None:
        return f"(FROM {table.relation} WHERE {_ROW_NUMBER} >= {split.begin} AND {_ROW_NUMBER} < {split.end})"
    lines = folder / "lines"
    with lines.open("wb") as file:
        file.writelines(_blocks(table.source, split))
    return text_relation(lines, table.header, 0, has_header=False)


def _blocks(source: Path, split: Split) -> Iterator[bytes]:
    with source.open("rb") as file:
        file.seek(split.begin)
        left = split.end - split.begin
        while left and (block := file.read(min(BLOCK, left))):
            left -= len(block)
            yield block
