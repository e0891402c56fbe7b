"""The ledger of a file: what each customer did on each day, and what became of every row. One scan of the file.

An occasion is a day with net above 0, or of 0 without a return, since a return in a file names no purchase. What is
in a currency without a rate is an occasion by the same rule, in its own money, and counts none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from regulars_scoring.adapters.files.asking import Asking
from regulars_scoring.adapters.files.bench import Bench, Share
from regulars_scoring.adapters.files.dates import FIRST_DAY
from regulars_scoring.adapters.files.refusals import WrongUse
from regulars_scoring.adapters.files.rows import BECAUSE, REASONS, Rows, rows_of
from regulars_scoring.adapters.files.statements import Statements
from regulars_scoring.adapters.files.table import BROKEN_LINES, Table, table_of

BROKEN = "broken line"

# Grouped by one number for reason and day, days since the first there can be, less than 0 where there is a reason: a
# third key costs a sixth of the time.
_ENTRIES = f"""
    SELECT CAST(greatest(-number, 0) AS TINYINT) AS reason, customer,
           CASE WHEN number >= 0 THEN {FIRST_DAY} + number END AS day,{{currencies}}
           CAST(net AS BIGINT) AS net, returns, rows
    FROM (
        SELECT CASE WHEN "our reason" = 0 THEN "our customer" END AS customer,
               CAST(CASE WHEN "our reason" = 0 THEN "our day" - {FIRST_DAY} ELSE -"our reason" END AS INTEGER)
               AS number,{{our_currencies}}
               sum(CASE WHEN "our reason" = 0 THEN "our minor" END) AS net,
               count(*) FILTER (WHERE "our reason" = 0 AND "our minor" < 0) AS returns, count(*) AS rows
        FROM ({{rows}}) GROUP BY ALL
    )
"""
_CURRENCIES = " currency, is_counted,"
_OUR_CURRENCIES = ' "our currency" AS currency, "our is_counted" AS is_counted,'
_DAYS = """
    SELECT customer, day, net, net > 0 OR (net = 0 AND returns = 0) AS is_occasion FROM entries WHERE reason = 0
"""
_DAYS_OF_CURRENCIES = """
    SELECT customer, day, coalesce(CAST(sum(net) FILTER (WHERE is_counted) AS BIGINT), 0) AS net,
           coalesce(sum(net) FILTER (WHERE is_counted) > 0, false)
           OR coalesce(sum(net) FILTER (WHERE is_counted) = 0 AND sum(returns) FILTER (WHERE is_counted) = 0, false)
           OR bool_or(NOT is_counted AND (net > 0 OR (net = 0 AND returns = 0))) AS is_occasion
    FROM entries WHERE reason = 0 GROUP BY customer, day
"""
# Kept at once: a later scan of the file writes the list of its broken lines anew.
_KEEP_BROKEN = f"""
    CREATE TABLE broken AS
    SELECT DISTINCT line AS number, rtrim(csv_line, chr(10) || chr(13)) AS line FROM {BROKEN_LINES}
"""
# A quote that is opened and never closed takes all lines after it along: they count, too.
_COUNT_BROKEN = "SELECT coalesce(sum(1 + length(line) - length(replace(line, chr(10), ''))), 0) AS broken FROM broken"
_BROKEN_REASON = len(REASONS) + 1


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is known of the file once the bench holds its `entries` and `days`; the days from first to last occasion.

    `currency` is the reporting one, empty where none was named.
    """

    table: Table
    rows: Rows
    first_day: date
    last_day: date
    read: int
    set_aside: Mapping[str, int]

    @property
    def currency(self) -> str:
        return self.rows.currency

    @property
    def read_as(self) -> str:
        """How the file was read, and which of its columns were taken for what."""
        columns = self.rows.columns
        paid = f"{columns.amount} x {columns.quantity}" if columns.quantity else columns.amount
        return f"{self.table.read_as}; who: {columns.customer}, when: {columns.date}, paid: {paid}"


def ledger_of(bench: Bench, asking: Asking, tell: Share) -> Ledger:
    """Read the file. Raises `WrongUse` where it holds no purchase, or is not what it is said to be."""
    table = table_of(bench, asking)
    with reading(asking.path):
        rows = rows_of(bench, table, asking)
        gather_entries(bench, table, rows, tell)
    return ledger_from(bench, asking, table, rows)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Torn pages, columns of lists and the like as `WrongUse`: each has its own exception, some of them none."""
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        raise WrongUse(f"{path} cannot be read to its end: {str(error).splitlines()[0]}") from None


def gather_entries(bench: Bench, table: Table, rows: Rows, tell: Share) -> None:
    """Make the table `entries`, which everything else is made of."""
    currencies, ours = (_CURRENCIES, _OUR_CURRENCIES) if rows.has_currencies else ("", "")
    select = _ENTRIES.format(currencies=currencies, our_currencies=ours, rows=rows.select)
    bench.watched(f"CREATE TEMP TABLE entries AS {select}", tell)
    if table.is_text:
        bench.rows(_KEEP_BROKEN)
        bench.rows(f"INSERT INTO entries (reason, rows) SELECT {_BROKEN_REASON}, broken FROM ({_COUNT_BROKEN})")


def ledger_from(bench: Statements, asking: Asking, table: Table, rows: Rows) -> Ledger:
    """What the entries come to, which the bench has. Raises `WrongUse` where there is no purchase among them."""
    bench.call("days", _DAYS_OF_CURRENCIES if rows.has_currencies else _DAYS)
    counts = bench.rows(
        "SELECT reason, CAST(sum(rows) AS BIGINT) AS rows FROM entries GROUP BY 1 HAVING sum(rows) > 0 ORDER BY 1"
    )
    found = dict(counts)
    kept = found.pop(0, 0)
    set_aside = {(*REASONS, BROKEN)[reason - 1]: count for reason, count in found.items()}
    first, last = bench.row("SELECT min(day), max(day) FROM days WHERE is_occasion")
    if first is None:
        raise WrongUse(f"{asking.path} holds no purchase{_blame(set_aside, kept)}")
    return Ledger(table, rows, first, last, kept + sum(set_aside.values()), set_aside)


def _blame(set_aside: Mapping[str, int], kept: int) -> str:
    if kept:
        return ": all of its amounts are returns"
    if set_aside:
        return "; set aside: " + ", ".join(f"{count:,} rows, {reason}" for reason, count in set_aside.items())
    return ": give a file with a purchase in each row"


def later_than(bench: Statements, as_of: date) -> int:
    """Rows of the days after that one."""
    return int(bench.row("SELECT coalesce(sum(rows), 0) FROM entries WHERE reason = 0 AND day > ?", [as_of])[0])


def returns_until(bench: Statements, as_of: date) -> int:
    """Rows with an amount below 0, up to that day."""
    return int(bench.row("SELECT coalesce(sum(returns), 0) FROM entries WHERE reason = 0 AND day <= ?", [as_of])[0])


def foreign_until(bench: Statements, ledger: Ledger, as_of: date) -> tuple[dict[str, int], dict[str, int]]:
    """Rows in other currencies, by currency, up to that day: those without money, and those converted."""
    if not ledger.rows.has_currencies:
        return {}, {}
    counts = bench.rows(
        "SELECT currency, is_counted, CAST(sum(rows) AS BIGINT) FROM entries "
        "WHERE reason = 0 AND day <= ? AND currency NOT IN ('', ?) GROUP BY ALL ORDER BY 1",
        [as_of, ledger.currency],
    )
    without, converted = ({name: rows for name, is_in, rows in counts if is_in is which} for which in (False, True))
    return without, converted


def write_rejects(bench: Bench, table: Table, rows: Rows, target: Path) -> None:
    """The rows set aside as they stand in the file, with the reason; of a broken line, which is in no column, the line.

    As CSV, or Parquet by the suffix. The file is read once more.
    """
    rejects = rows.rejects()
    if table.is_text:
        broken = f"SELECT line, '{BROKEN}' AS \"{BECAUSE}\" FROM broken"
        rejects = f"SELECT * FROM ({rejects}) UNION ALL BY NAME {broken}"
    bench.copy(rejects, target)
