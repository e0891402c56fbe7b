"""A file in splits holds what it holds as a whole: each row once, none torn."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_scoring.adapters.files.asking import Asking
from regulars_scoring.adapters.files.bench import a_bench
from regulars_scoring.adapters.files.spark.splits import (
    WHOLE,
    Split,
    parquet_splits,
    quotes_of,
    relation_of,
    text_splits,
)
from regulars_scoring.adapters.files.table import BROKEN_LINES, Table, table_of

HEAD = "customer,amount\n"
fields = st.text(alphabet='ab,"\n', max_size=6)


def splits_of_text(table: Table, size: int) -> list[Split]:
    return text_splits(table, lambda splits: [quotes_of(table.source, split) for split in splits], size)


def written_as(folder: Path, text: str) -> Path:
    path = folder / "purchases.csv"
    path.write_text(text)
    return path


def quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'


@settings(deadline=None)
@given(rows=st.lists(st.tuples(fields, fields), min_size=1, max_size=30), size=st.integers(1, 60))
def test_lines_are_parted_where_no_quotes_are_open(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], size: int
) -> None:
    """Whatever is in the fields, as long as they are quoted."""
    lines = [",".join(quoted(field) for field in row) for row in rows]
    path = written_as(tmp_path_factory.mktemp("a"), HEAD + "\n".join(lines) + "\n")
    with a_bench() as bench:
        table = table_of(bench, Asking(path))
        splits = splits_of_text(table, size)
        found = []
        for split in splits:
            found += bench.rows(f"SELECT customer, amount FROM {relation_of(table, split, bench.folder)}")
        assert sorted((one or "", other or "") for one, other in found) == sorted(rows)


def test_a_split_is_of_about_the_size_that_is_asked_for(tmp_path: Path) -> None:
    lines = [f"c{number:04d},5.00" for number in range(1_000)]
    path = written_as(tmp_path, HEAD + "\n".join(lines))
    with a_bench() as bench:
        splits = splits_of_text(table_of(bench, Asking(path)), 1_000)
    assert splits[0].begin == len(HEAD)
    assert splits[-1].end == path.stat().st_size
    assert all(one.end == other.begin for one, other in pairwise(splits))
    assert all(split.end - split.begin <= 1_011 for split in splits)


def test_a_quote_that_is_never_closed_takes_the_rest_of_the_file_along(tmp_path: Path) -> None:
    lines = [f"c{number:04d},5.00" for number in range(50)]
    path = written_as(tmp_path, HEAD + "\n".join([*lines, '"open,5.00', *lines]) + "\n")
    with a_bench() as bench:
        table = table_of(bench, Asking(path))
        *_, last = splits_of_text(table, 100)
        assert last.end - last.begin > 600
        bench.rows(f"SELECT count(amount) FROM {relation_of(table, last, bench.folder)}")
        assert bench.row(f"SELECT count(*) > 0 FROM {BROKEN_LINES}") == (True,)


@pytest.mark.parametrize("text", [HEAD, HEAD.replace("\n", "\r") + "anna,5.00\r"])
def test_what_has_no_line_to_part_at_is_read_as_a_whole(tmp_path: Path, text: str) -> None:
    with a_bench() as bench:
        table = table_of(bench, Asking(written_as(tmp_path, text)))
        assert splits_of_text(table, 10) == [WHOLE]
        assert relation_of(table, WHOLE, bench.folder) == table.relation


@pytest.mark.parametrize("rows", [1, 2_048, 5_000, 1_000_000])
def test_rows_of_parquet_are_parted_between_their_groups(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "purchases.parquet"
    with duckdb.connect() as connection:
        select = "SELECT i AS customer FROM range(20000) t(i)"
        connection.execute(f"COPY ({select}) TO '{path}' (ROW_GROUP_SIZE 2048)").fetchall()
    with a_bench() as bench:
        table = table_of(bench, Asking(path))
        splits = parquet_splits(bench, table, rows)
        assert len(splits) == {1: 10, 2_048: 10, 5_000: 4, 1_000_000: 1}[rows]
        found = []
        for split in splits:
            found += bench.rows(f"SELECT customer FROM {relation_of(table, split, bench.folder)}")
    assert sorted(found) == [(number,) for number in range(20_000)]


def test_a_file_with_a_column_of_that_name_is_not_parted_by_it(tmp_path: Path) -> None:
    path = tmp_path / "purchases.parquet"
    with duckdb.connect() as connection:
        select = "SELECT i AS customer, 7 AS File_Row_Number FROM range(20000) t(i)"
        connection.execute(f"COPY ({select}) TO '{path}' (ROW_GROUP_SIZE 2048)").fetchall()
    with a_bench() as bench:
        assert parquet_splits(bench, table_of(bench, Asking(path)), 1) == [WHOLE]
