"""The invoice lines of Online Retail, read from the Parquet file beside this package in the file's own order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

FILE = Path(__file__).parent.parent / "online_retail.parquet"

_COLUMNS = "InvoiceNo, StockCode, Quantity, InvoiceDate, UnitPrice, CustomerID, Country"


class Row(NamedTuple):
    """One invoice line as the retailer wrote it. A tuple, because half a million of them are read at once.

    `at` is the wall clock of London, without an offset; `unit_price` is in pounds; `customer` None: nobody was named.
    """

    invoice: str
    sku: str
    quantity: int
    at: datetime
    unit_price: float
    customer: int | None
    country: str


def read(file: Path = FILE) -> Iterator[Row]:
    """Every line of the file, first to last. One thread: the sample is loaded beside a running shop."""
    with duckdb.connect(config={"threads": 1}) as connection:
        result = connection.execute(f"SELECT {_COLUMNS} FROM read_parquet(?)", [str(file)])
        while block := result.fetchmany(20_000):
            yield from map(Row._make, block)
