"""A file of purchases as a relation that DuckDB can read, and the columns that the caller means."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from regulars_scoring.adapters.files.asking import Asking, Columns, Dialect
from regulars_scoring.adapters.files.bench import Bench, identifier, literal
from regulars_scoring.adapters.files.encoding import encoding_of, in_utf_8, look_through, opened
from regulars_scoring.adapters.files.header import Header, header_of
from regulars_scoring.adapters.files.refusals import WrongUse

BROKEN_LINES = "broken_lines"
"""The table that DuckDB writes lines to which it cannot take apart; there is none for Parquet."""

_PRICES_OF_ONE = ("price", "unitprice", "unit price", "unit_price", "price_per_unit")

USUAL: Mapping[str, Sequence[str]] = {
    "customer": ("customer", "customer_id", "customerid", "customer id", "client_id", "user_id", "card"),
    "date": ("date", "purchase_date", "order_date", "invoice_date", "invoicedate", "business_date", "day"),
    "amount": ("amount", "total", "net", "revenue", "value", "dollar_value", *_PRICES_OF_ONE),
    "quantity": ("quantity", "qty", "units", "pieces"),
    "currency": ("currency", "currency_code"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """`relation` follows FROM, and reads `source`: the file, or a copy of it that DuckDB can read.

    `types` are DuckDB's, by the file's own names; `read_as` says how it was read; only a text has a `header`.
    """

    relation: str
    types: Mapping[str, str]
    read_as: str
    source: Path
    header: Header | None = None

    @property
    def is_text(self) -> bool:
        return self.header is not None


def table_of(bench: Bench, asking: Asking) -> Table:
    """Raises `WrongUse` for a file that is not there, is empty, or is neither CSV nor Parquet."""
    path = asking.path
    if not path.exists():
        raise WrongUse(f"there is no file {path}")
    if path.is_dir():
        raise WrongUse(f"{path} is a folder; name a CSV or Parquet file")
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise WrongUse(f"{path} cannot be read: {error.strerror}") from None
    if not start:
        raise WrongUse(f"{path} is empty: give a file with a purchase in each row")
    return _parquet(bench, path) if start == b"PAR1" else _text(bench, asking)


def _parquet(bench: Bench, path: Path) -> Table:
    relation = f"read_parquet({literal(str(path))})"
    try:
        described = bench.rows(f"DESCRIBE FROM {relation}")
    except duckdb.Error:
        raise WrongUse(f"{path} begins as Parquet and cannot be read as such: is it complete?") from None
    return Table(relation, {row[0]: row[1] for row in described}, "Parquet", path)


def _text(bench: Bench, asking: Asking) -> Table:
    path, dialect = asking.path, asking.dialect
    try:
        seen = look_through(path)
        encoding = dialect.encoding or encoding_of(path, seen)
        copy = in_utf_8(path, encoding, seen, bench.folder)
    except (OSError, EOFError, zlib.error):
        raise WrongUse(f"{path} cannot be read to its end: is it complete, and is there space for a copy?") from None
    header = _header(copy, dialect, path)
    shown = {"\t": "tabs"}.get(header.separator, f"'{header.separator}'")
    read_as = f"text, separated by {shown}, in {encoding}"
    relation = text_relation(copy, header, header.blank_lines, has_header=True)
    return Table(relation, dict.fromkeys(header.names, "VARCHAR"), read_as, copy, header)


def text_relation(source: Path, header: Header, blank_lines: int, *, has_header: bool) -> str:
    """Every column is text: numbers and dates are read by our own rules, so that what is none can be counted.

    `blank_lines` is how many stand above the first line.
    """
    names = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header.names)
    # Strict: a line with more fields than names is broken. Else the cents of `5,00` would go unnoticed.
    return (
        f"read_csv({literal(str(source))}, delim = {literal(header.separator)}, columns = {{{names}}}, "
        f"header = {str(has_header).lower()}, skip = {blank_lines}, auto_detect = false, "
        "quote = '\"', escape = '\"', strict_mode = true, "
        "ignore_errors = true, store_rejects = true, rejects_limit = 0, "
        f"rejects_table = '{BROKEN_LINES}', rejects_scan = 'broken_files')"
    )


def _header(copy: Path, dialect: Dialect, path: Path) -> Header:
    with opened(copy) as file:
        start = file.read(1 << 16)
    if b"\0" in start:
        raise WrongUse(f"{path} is neither text nor Parquet; save a spreadsheet as CSV first")
    return header_of(start.decode(errors="replace"), dialect.separator)


def columns_of(table: Table, said: Columns, path: Path) -> Columns:
    """The file's own names of the columns that are meant. Raises `WrongUse`, naming those it has.

    A column of quantities that nobody named is meant only where the amount was found by a name for the price of one.
    """
    customer, date, amount = (
        _needed(table, meaning, getattr(said, meaning), path) for meaning in ("customer", "date", "amount")
    )
    is_of_one = said.amount is None and amount.strip().lower() in _PRICES_OF_ONE
    return Columns(
        customer,
        date,
        amount,
        quantity=_column(table, "quantity", said.quantity, path) if said.quantity or is_of_one else None,
        currency=_column(table, "currency", said.currency, path),
    )


def _needed(table: Table, meaning: str, said: str | None, path: Path) -> str:
    found = _column(table, meaning, said, path)
    if found is None:
        names = ", ".join(table.types)
        raise WrongUse(f"which column of {path} is the {meaning}? Say it by --{meaning}; it has {names}")
    return found


def _column(table: Table, meaning: str, said: str | None, path: Path) -> str | None:
    by_lower = {name.strip().lower(): name for name in table.types}
    for name in [said] if said is not None else USUAL[meaning]:
        if name in table.types:
            return name
        if name.strip().lower() in by_lower:
            return by_lower[name.strip().lower()]
    if said is not None:
        raise WrongUse(f"{path} has no column {said}; it has {', '.join(table.types)}")
    return None


def quoted(name: str | None) -> str:
    return "NULL" if name is None else identifier(name)
