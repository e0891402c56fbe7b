"""From a year's invoice lines to what is sent: receipts, cancellations, customers; and what is not, counted by reason.

The one idea: nothing is dropped in silence. Every line of the file is in a receipt, in a cancellation, or set aside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from regulars.samples.online_retail.rows import Row


class Reason(StrEnum):
    """Why a line is neither a sale nor a return; the words are those of the summary."""

    ADJUSTMENT = "bad-debt adjustment"
    STOCK_CORRECTION = "negative quantity without a cancellation"
    NO_PRICE = "price 0"
    SUB_PENNY = "price with a fraction of a penny"


class Line(NamedTuple):
    """What a line of an invoice comes to. A tuple, because half a million of them are held at once.

    `quantity` is above 0 in receipts and cancellations alike; `net_minor` is quantity times unit price, in pence.
    """

    sku: str
    quantity: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """A receipt, or the cancellation of goods of earlier ones (its number begins with C).

    `at` is London's wall clock when it was begun; `customer` is the retailer's number, None when nobody was named.
    """

    number: str
    customer: int | None
    at: datetime
    lines: tuple[Line, ...]

    @property
    def is_cancellation(self) -> bool:
        """Whether it takes goods back."""
        return is_cancellation(self.number)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole sample, each part in the order of time. `customers` maps the retailer's number to the last country."""

    customers: Mapping[int, str]
    receipts: tuple[Invoice, ...]
    cancellations: tuple[Invoice, ...]
    set_aside: Mapping[Reason, int]

    @property
    def last(self) -> datetime:
        """When the last invoice was begun."""
        return max(invoice.at for invoice in self.receipts + self.cancellations)

    @property
    def receipt_lines(self) -> int:
        """How many lines are sent as sold."""
        return sum(len(receipt.lines) for receipt in self.receipts)

    @property
    def cancellation_lines(self) -> int:
        """How many lines are sent as returned."""
        return sum(len(cancellation.lines) for cancellation in self.cancellations)


def is_cancellation(number: str) -> bool:
    """Whether an invoice of this number takes goods back."""
    return number.startswith("C")


def plan(rows: Iterable[Row]) -> Plan:
    """Sort the file's lines into invoices. An invoice whose lines are all set aside is not sent."""
    drafts: dict[str, tuple[Row, list[Line]]] = {}
    set_aside: Counter[Reason] = Counter()
    latest: dict[int, Row] = {}
    for row in rows:
        if row.customer is not None and (row.customer not in latest or latest[row.customer].at <= row.at):
            latest[row.customer] = row
        line = _read(row)
        if isinstance(line, Reason):
            set_aside[line] += 1
        else:
            # The clock may turn a minute while an invoice is written; its first line says when it was begun.
            drafts.setdefault(row.invoice, (row, []))[1].append(line)
    invoices = sorted((_invoice(head, lines) for head, lines in drafts.values()), key=lambda each: each.at)
    return Plan(
        customers={number: latest[number].country for number in sorted(latest)},
        receipts=tuple(invoice for invoice in invoices if not invoice.is_cancellation),
        cancellations=tuple(invoice for invoice in invoices if invoice.is_cancellation),
        set_aside=dict(set_aside),
    )


def pence(unit_price: float) -> int | None:
    """The price in pence; None when it has a fraction of a penny, which no receipt in minor units can carry."""
    whole = round(unit_price * 100)
    return whole if abs(unit_price * 100 - whole) < 1e-6 else None


def unmatched_lines(plan: Plan) -> int:
    """How many cancelled lines find too little sold before them, matched as the ledger does it.

    By the customer's earlier lines of the same SKU, until the quantity is covered (spec of `POST /v1/returns`). They
    are sent all the same: the ledger flags them, and what finds no line takes no points back.
    """
    left: Counter[tuple[int, str]] = Counter()
    unmatched = 0
    for invoice in sorted(plan.cancellations + plan.receipts, key=lambda each: each.at):
        for line in invoice.lines:
            if not invoice.is_cancellation:
                left[invoice.customer or 0, line.sku] += line.quantity
                continue
            owned = left[invoice.customer, line.sku] if invoice.customer is not None else 0
            unmatched += line.quantity > owned
            if invoice.customer is not None:
                left[invoice.customer, line.sku] -= min(owned, line.quantity)
    return unmatched


def _read(row: Row) -> Line | Reason:
    if row.invoice.startswith("A"):
        return Reason.ADJUSTMENT
    quantity = -row.quantity if is_cancellation(row.invoice) else row.quantity
    if quantity <= 0:
        return Reason.STOCK_CORRECTION
    if row.unit_price == 0:
        return Reason.NO_PRICE
    unit_minor = pence(row.unit_price)
    if unit_minor is None:
        return Reason.SUB_PENNY
    return Reason.ADJUSTMENT if unit_minor < 0 else Line(row.sku, quantity, quantity * unit_minor)


def _invoice(head: Row, lines: list[Line]) -> Invoice:
    return Invoice(head.invoice, head.customer, head.at, tuple(lines))
