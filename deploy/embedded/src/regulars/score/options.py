"""The options of `regulars score`, and how their words are read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

RESULTS, COLUMNS, MONEY = "Results", "Columns, where their names are unusual", "Money"
WRITTEN = "How a CSV file is written, where it is not found out"
LONGEST_HORIZON_DAYS = 3_650


class Engine(StrEnum):
    DUCKDB = "duckdb"
    SPARK = "spark"


def day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a day is written 2011-12-10") from None


def currency_of(text: str) -> str:
    name = text.strip().upper()
    if len(name) != 3 or not (name.isascii() and name.isalpha()):
        raise typer.BadParameter("a currency has three letters, such as GBP")
    return name


def mark_of(text: str) -> str:
    if text not in (".", ","):
        raise typer.BadParameter("it is . or ,")
    return text


def rates_of(said: Iterable[str]) -> dict[str, Decimal]:
    """Rates by currency. Raises typer's refusal."""
    pairs = (each.partition("=") for each in said)
    return {currency_of(name): _rate_of(number) for name, _, number in pairs}


def _rate_of(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(0)
    # Within these bounds a rate has eight decimals, and no amount times it overflows.
    if not number.is_finite() or not Decimal("0.00001") <= number <= 100_000:
        raise typer.BadParameter("a rate is written USD=0.79: what one unit is worth in the reporting currency")
    return number


def _column(words: str) -> object:
    return typer.Option(metavar="COLUMN", help=words, rich_help_panel=COLUMNS)


def _written(metavar: str, words: str) -> object:
    return typer.Option(metavar=metavar, help=words, rich_help_panel=WRITTEN)


Purchases = Annotated[
    Path, typer.Argument(help="CSV (.csv.gz too) or Parquet; each row a purchase or a line of it.", show_default=False)
]
AsOf = Annotated[
    date | None,
    typer.Option(
        parser=day_of,
        metavar="2011-12-10",
        help="The day at whose end customers are looked at; later rows are left out. Else the last day of the file, or "
        "today if that is earlier.",
    ),
]
Horizon = Annotated[
    int, typer.Option(min=1, max=LONGEST_HORIZON_DAYS, help="How far churn looks ahead, and the report looks back.")
]
WithEngine = Annotated[
    Engine,
    typer.Option(
        help="What reads and groups the rows. Spark, for more than one machine holds, writes folders of files; its own "
        "settings say on which cluster."
    ),
]

Out = Annotated[Path, typer.Option(help="The scores: .parquet or .csv.", rich_help_panel=RESULTS, show_default=False)]
Report = Annotated[Path | None, typer.Option(help="A page with pictures for the shop: .html.", rich_help_panel=RESULTS)]
Rejects = Annotated[
    Path | None,
    typer.Option(help="Rows set aside, each with the reason: .csv or .parquet.", rich_help_panel=RESULTS),
]

Customer = Annotated[str | None, _column("Who bought.")]
Date = Annotated[str | None, _column("When; a time may follow.")]
Amount = Annotated[str | None, _column("What was paid; below 0 for a return.")]
Quantity = Annotated[
    str | None, _column("How many; the amount is then the price of one. Found only where the amount is called so.")
]
Currency = Annotated[str | None, _column("The currency of the amount, such as GBP.")]

ReportingCurrency = Annotated[
    str | None,
    typer.Option(
        parser=currency_of,
        metavar="GBP",
        help="What money is counted in. Else the currency of most rows.",
        rich_help_panel=MONEY,
    ),
]
Rate = Annotated[
    list[str] | None,
    typer.Option(
        metavar="USD=0.79",
        help="What one unit of another currency is worth; once for each. Without a rate its purchases count as visits, "
        "and their money does not.",
        rich_help_panel=MONEY,
    ),
]

Separator = Annotated[str | None, _written("CHARACTER", "Between the columns; a tab is \\t.")]
Encoding = Annotated[str | None, _written("NAME", "utf-8, cp1252, utf-16, …")]
DecimalMark = Annotated[
    str | None,
    typer.Option("--decimal", parser=mark_of, metavar=". or ,", help="Before the cents.", rich_help_panel=WRITTEN),
]
DateFormat = Annotated[str | None, _written("%d.%m.%Y", "Of the day; a time may follow.")]
