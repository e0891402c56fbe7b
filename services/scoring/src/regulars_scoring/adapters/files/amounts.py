"""Amounts as exact decimals, however they are written."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from regulars_scoring.adapters.files.bench import Bench, identifier, literal
from regulars_scoring.adapters.files.table import Table

_LOOKED_AT = 10_000
_NARROW = "DECIMAL(18, 5)"
"""Wide enough for pieces, and for prices up to `LARGEST_MINOR`."""
_PRICE = "DECIMAL(22, 5)"
"""Wide enough that a product by a hundred or a rate of exchange never overflows."""
LARGEST_MINOR = 10**12
"""Of one row, as everywhere in the product: thousands of them still sum far below 2**63."""


def price_of(bench: Bench, table: Table, amount: str, quantity: str | None, decimal: str | None) -> str:
    """An expression for the price of a row as a decimal; NULL where there is no number, or a monstrous one."""
    if quantity is None:
        return f"TRY_CAST({_number(bench, table, amount, decimal)} AS {_PRICE})"
    one, pieces = (_number(bench, table, name, decimal) for name in (amount, quantity))
    return f"TRY_CAST(TRY_CAST({one} AS {_PRICE}) * TRY_CAST({pieces} AS {_NARROW}) AS {_PRICE})"


def _number(bench: Bench, table: Table, name: str, decimal: str | None) -> str:
    """What can be cast to a decimal: a column of numbers as it is, a text with a decimal point and nothing else."""
    column = identifier(name)
    if table.types[name] != "VARCHAR":
        return column
    text = f"trim({column})"
    mark = decimal or _mark_of(bench, table, text)
    group = "." if mark == "," else ","
    # A mark between thousands is taken out only where it stands between thousands.
    grouped = literal(f"^[+-]?[0-9]{{1,3}}(\\{group}[0-9]{{3}})+(\\{mark}[0-9]*)?$")
    plain = f"CASE WHEN regexp_matches({text}, {grouped}) THEN replace({text}, '{group}', '') ELSE {text} END"
    if mark == ".":
        return f"({plain})"
    # What still has a point is written otherwise than the rest: no number, rather than a hundred times as much.
    return f"(CASE WHEN contains({plain}, '.') THEN NULL ELSE replace({plain}, ',', '.') END)"


def _mark_of(bench: Bench, table: Table, text: str) -> str:
    """A comma where more of the first rows end with one and one or two digits than with a point and those."""
    commas, points = (f"count(*) FILTER (WHERE regexp_matches({text}, '\\{mark}[0-9]{{1,2}}$'))" for mark in ",.")
    with_comma, with_point = bench.row(f"SELECT {commas}, {points} FROM (FROM {table.relation} LIMIT {_LOOKED_AT})")
    return "," if with_comma > with_point else "."


def minor_of(price: str, currency: str, exponent: int, rates: Mapping[str, Decimal]) -> str:
    """An expression for minor units, rounded half away from zero; of the reporting currency where there is a rate.

    A sale and its return round alike, so that they cancel. Each row is rounded, since it is what was paid.
    """
    unit = 10**exponent
    # As a decimal of 18 digits, which is a machine's integer: of the wider ones a product takes twenty times as long.
    own = f"CAST(round(TRY_CAST({price} AS {_NARROW}), {exponent}) * {unit} AS BIGINT)"
    if not rates:
        return own
    cases = " ".join(f"WHEN {literal(name)} THEN {_converted(price, rate * unit)}" for name, rate in rates.items())
    return f"CASE {currency} {cases} ELSE {own} END"


def _converted(price: str, factor: Decimal) -> str:
    return f"CAST(round({price} * CAST('{factor:f}' AS DECIMAL(16, 8))) AS BIGINT)"
