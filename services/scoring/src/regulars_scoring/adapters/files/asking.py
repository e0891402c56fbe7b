"""What the caller says of a file of purchases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of columns, in any case of letters; None: found by a usual name. Amounts are prices of one where a
    `quantity` is named, or found beside an amount that is called the price of one; else whole prices. Without
    `currency` all amounts are in the reporting one.
    """

    customer: str | None = None
    date: str | None = None
    amount: str | None = None
    quantity: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text file is written; None: found out. `date_format` in the letters of strptime, `%d.%m.%Y`."""

    separator: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    date_format: str | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """`currency` is the one that money is counted in; `rates` by currency: what one unit of it is worth in that.

    None: the one that most rows of a currency column name, or none at all.
    """

    path: Path
    columns: Columns = Columns()
    dialect: Dialect = Dialect()
    currency: str | None = None
    rates: Mapping[str, Decimal] = field(default_factory=dict)
