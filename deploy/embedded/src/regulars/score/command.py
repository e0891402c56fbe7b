"""`regulars score`: what is asked for, and how it ends."""

from __future__ import annotations

from datetime import datetime

import typer

from regulars.score import options as o
from regulars.score.options import rates_of


def score(
    purchases: o.Purchases,
    out: o.Out,
    as_of: o.AsOf = None,
    horizon_days: o.Horizon = 90,
    engine: o.WithEngine = o.Engine.DUCKDB,
    report: o.Report = None,
    rejects: o.Rejects = None,
    customer: o.Customer = None,
    date: o.Date = None,
    amount: o.Amount = None,
    quantity: o.Quantity = None,
    currency: o.Currency = None,
    reporting_currency: o.ReportingCurrency = None,
    rate: o.Rate = None,
    separator: o.Separator = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalMark = None,
    date_format: o.DateFormat = None,
) -> None:
    """Score the customers of a file of purchases, without any service.

    RFM, chance of churn, expected purchases and value of each customer.
    Columns with usual names (customer_id, date, amount, currency, …) are
    found; others are named by options. Rows that nothing can be made of
    are set aside and counted by reason.

    Exit status 2: another call would do. 1: what was bought is too little
    to be scored.
    """
    # Imported here: nothing else of this command needs DuckDB and numpy, and `--help` need not wait for them.
    from regulars.score.run import run
    from regulars_scoring.adapters.files.asking import Asking, Columns, Dialect
    from regulars_scoring.files import Order

    asking = Asking(
        purchases,
        Columns(customer, date, amount, quantity, currency),
        Dialect(separator, encoding, decimal, date_format),
        reporting_currency,
        rates_of(rate or ()),
    )
    today = datetime.now().astimezone().date()
    order = Order(asking, out, today, as_of, horizon_days, report, rejects)
    if (status := run(order, engine)) != 0:
        raise typer.Exit(status)
