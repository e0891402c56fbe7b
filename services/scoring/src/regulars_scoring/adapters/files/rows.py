"""The rows of a file in our own terms: whose, when, how much; or why nothing can be made of one."""

from __future__ import annotations

from dataclasses import dataclass

from regulars_kit.values import currency_exponent
from regulars_scoring.adapters.files.amounts import LARGEST_MINOR, minor_of, price_of
from regulars_scoring.adapters.files.asking import Asking, Columns
from regulars_scoring.adapters.files.bench import Bench, identifier, literal
from regulars_scoring.adapters.files.dates import date_of
from regulars_scoring.adapters.files.refusals import WrongUse
from regulars_scoring.adapters.files.table import Table, columns_of

REASONS = ("no customer", "no date", "not a date", "no amount", "not a number", "too large a number", "no currency")
"""Why a row is set aside, by the number of its reason, less 1."""

BECAUSE = "set aside because"
"""The column that a file of such rows has besides its own."""


@dataclass(frozen=True, slots=True)
class Rows:
    """How the rows of a relation are read: `named`, `reason` and `money` are made of each, one after another.

    `columns` are the file's own names of those that are read.
    """

    relation: str
    named: str
    reason: str
    money: str
    currency: str
    columns: Columns

    @property
    def has_currencies(self) -> bool:
        return self.columns.currency is not None

    @property
    def select(self) -> str:
        """It has the file's columns, and ours by names that no file has: reason (0: none), customer, day, currency
        (empty: none named), is_counted (its money is), minor; all but the first NULL or without meaning where it is
        not 0.
        """
        judged = f"SELECT *, {self.reason} FROM (SELECT *, {self.named} FROM {self.relation})"
        return f"SELECT *, {self.money} FROM ({judged})"

    def rejects(self) -> str:
        """A SELECT of the rows set aside, as they stand in the file, with the reason."""
        names = " ".join(f"WHEN {number} THEN {literal(reason)}" for number, reason in enumerate(REASONS, 1))
        ours = ", ".join(f'"our {name}"' for name in ("reason", *_OURS, "is_counted", "minor"))
        because = f'CASE "our reason" {names} END AS "{BECAUSE}"'
        return f'SELECT * EXCLUDE ({ours}), {because} FROM ({self.select}) WHERE "our reason" > 0'


_OURS = ("customer", "day", "price", "currency", "lacks customer", "lacks date", "lacks amount")


def rows_of(bench: Bench, table: Table, asking: Asking) -> Rows:
    """Raises `WrongUse` where columns are not there, dates can be read in more than one way, or rates have no use."""
    columns = columns_of(table, asking.columns, asking.path)
    if asking.rates and columns.currency is None:
        raise WrongUse(f"rates are given, and no column of {asking.path} says the currency: name it by --currency")
    customer, amount = str(columns.customer), str(columns.amount)
    parts = {
        "customer": identifier(customer),
        "day": date_of(bench, table, str(columns.date), asking.dialect.date_format),
        "price": price_of(bench, table, amount, columns.quantity, asking.dialect.decimal),
        "currency": _currency(columns.currency),
        "lacks customer": _lacks(table, customer),
        "lacks date": _lacks(table, str(columns.date)),
        "lacks amount": " OR ".join(_lacks(table, name) for name in (amount, columns.quantity) if name),
    }
    named = ", ".join(f'{expression} AS "our {name}"' for name, expression in parts.items())
    currency = _reporting_currency(bench, table, columns.currency, asking.currency)
    return Rows(
        relation=table.relation,
        named=named,
        reason=_reason(currency, columns.currency),
        money=_money(currency, asking),
        currency=currency,
        columns=columns,
    )


def _reason(currency: str, currency_column: str | None) -> str:
    largest = LARGEST_MINOR // 10 ** currency_exponent(currency)
    tests = (
        '"our lacks customer"',
        '"our lacks date"',
        '"our day" IS NULL',
        '"our lacks amount"',
        '"our price" IS NULL',
        f'abs("our price") > {largest}',
        "false" if currency_column is None else "\"our currency\" = ''",
    )
    cases = " ".join(f"WHEN {test} THEN {number}" for number, test in enumerate(tests, 1))
    return f'CAST(CASE {cases} ELSE 0 END AS TINYINT) AS "our reason"'


def _money(currency: str, asking: Asking) -> str:
    rates = {name: rate for name, rate in asking.rates.items() if name != currency}
    counted = ", ".join(literal(name) for name in ("", currency, *rates))
    minor = minor_of('"our price"', '"our currency"', currency_exponent(currency), rates)
    return f'"our currency" IN ({counted}) AS "our is_counted", {minor} AS "our minor"'


def _reporting_currency(bench: Bench, table: Table, column: str | None, said: str | None) -> str:
    """What was said, or the currency of most rows; empty where no column names one."""
    if said is not None or column is None:
        return said or ""
    named = f"SELECT {_currency(column)} AS named FROM {table.relation}"
    found = bench.rows(f"SELECT named FROM ({named}) WHERE named <> '' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    return str(found[0][0]) if found else ""


def _currency(column: str | None) -> str:
    return "''" if column is None else f"coalesce(upper(trim(CAST({identifier(column)} AS VARCHAR))), '')"


def _lacks(table: Table, name: str) -> str:
    column, kind = identifier(name), table.types[name]
    if kind == "VARCHAR":
        return f"coalesce(trim({column}), '') = ''"
    return f"({column} IS NULL OR isnan({column}))" if kind in ("DOUBLE", "FLOAT") else f"{column} IS NULL"
