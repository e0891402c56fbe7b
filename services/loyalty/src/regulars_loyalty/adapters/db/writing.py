"""From what a unit stores to the arrays of the writing statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import chain

from regulars_kit.bus import Message
from regulars_kit.values import utc_now
from regulars_loyalty.adapters.db import parts
from regulars_loyalty.adapters.db.parts import Part, statement
from regulars_loyalty.adapters.db.rows import (
    Values,
    account_values,
    fact_values,
    line_values,
    lot_values,
    posting_values,
    price_values,
    purchase_values,
)
from regulars_loyalty.adapters.db.session import Session
from regulars_loyalty.application.ports import Passbook, PurchaseRow, Writing
from regulars_loyalty.domain.account import Bought, Lot
from regulars_loyalty.domain.announcements import Announcement
from regulars_loyalty.domain.pricing import Price

ToMessage = Callable[[Announcement, datetime], Message]
"""Puts an announcement, recorded at an instant, into the words of the bus."""

Given = tuple[Part, list[Values]]

_EMPTY_LOTS_NOT_IN = """
    UPDATE lots SET issued = 0, remaining = 0 WHERE account_id = $1 AND lot_id <> ALL ($2::uuid[]) AND issued > 0
"""


async def store(session: Session, writing: Writing, to_message: ToMessage, noted_at: datetime | None) -> None:
    """Store everything with one statement, two where a late fact is in it; the passbooks have nothing unstored then.

    `noted_at` is the server's instant where the writing itself names none. Raises Raced, with nothing stored, where
    somebody else stored one of the rows first, or an account since it was read.
    """
    for passbook in writing.passbooks:
        await _empty_lots_that_never_were(session, passbook)
    recorded_at = _recorded_at(writing) or noted_at or utc_now()
    given = [(part, rows) for part, rows in _given(writing, to_message, recorded_at) if rows]
    if given:
        await _run(session, given)
    for passbook in writing.passbooks:
        _mark_stored(passbook)


async def _run(session: Session, given: Sequence[Given]) -> None:
    arrays = [array for part, rows in given for array in part.arrays(rows)]
    await session.execute(statement(tuple(part for part, _ in given)), *arrays)


async def _empty_lots_that_never_were(session: Session, passbook: Passbook) -> None:
    """A fold with a late fact in it may do without lots that stand in the database."""
    if any(posting.late_fact_id for posting in passbook.postings):
        account = passbook.account
        await session.execute(_EMPTY_LOTS_NOT_IN, account.account_id, list(account.lots))


def _given(writing: Writing, to_message: ToMessage, recorded_at: datetime) -> Iterator[Given]:
    """The rows of each part in the order in which the parts run; rows that can race stand in one order everywhere."""
    passbooks = sorted(writing.passbooks, key=lambda passbook: passbook.owner)
    purchases = sorted(_as_repriced(writing), key=_receipt_order)
    yield parts.ACCOUNTS, [account_values(passbook, recorded_at) for passbook in passbooks]
    yield parts.PURCHASES, [purchase_values(row) for row in purchases]
    yield parts.LINES, [values for row in purchases for values in line_values(row)]
    yield parts.FACTS, [fact_values(row) for row in writing.facts]
    yield parts.LOTS, [lot_values(book.account.account_id, lot) for book in passbooks for lot in _changed_lots(book)]
    yield parts.POSTINGS, [posting_values(posting) for passbook in passbooks for posting in passbook.postings]
    repriced = _repriced(writing)
    yield parts.REPRICED, [price_values(bought) for bought in repriced]
    yield parts.CHANGED_LINES, _changed_lines(repriced, writing.returned)
    yield parts.OUTBOX, [_message_values(to_message(each, recorded_at)) for each in writing.announcements]


def _receipt_order(row: PurchaseRow) -> tuple[str, str, date, str]:
    receipt = row.purchase.receipt
    return (receipt.store, receipt.till, receipt.business_date, receipt.number)


def _recorded_at(writing: Writing) -> datetime | None:
    stored = [row.recorded_at for row in writing.purchases[:1]] + [row.recorded_at for row in writing.facts[:1]]
    postings = (posting.recorded_at for passbook in writing.passbooks for posting in passbook.postings)
    return next(chain(stored, postings), None)


def _as_repriced(writing: Writing) -> list[PurchaseRow]:
    """The purchases to insert; a late one behind them in the same batch may have changed their price (re-rate)."""
    prices = {key: bought.price for passbook in writing.passbooks for key, bought in passbook.repriced.items()}
    if not prices:
        return writing.purchases
    return [_repriced_row(row, prices.get(row.purchase.purchase_id)) for row in writing.purchases]


def _repriced_row(row: PurchaseRow, price: Price | None) -> PurchaseRow:
    if price is None:
        return row
    return replace(
        row,
        earned=price.earned,
        paid=price.paid,
        credit=price.credit,
        tier=price.tier,
        visit=price.visit,
        expires_at=price.expires_at,
        line_points=price.line_points,
    )


def _repriced(writing: Writing) -> list[Bought]:
    new = {row.purchase.purchase_id for row in writing.purchases}
    return [
        bought
        for passbook in writing.passbooks
        for purchase_id, bought in passbook.repriced.items()
        if purchase_id not in new
    ]


def _changed_lots(passbook: Passbook) -> list[Lot]:
    stored = passbook.stored_lots
    return [lot for lot in passbook.account.lots.values() if stored.get(lot.lot_id) != (lot.issued, lot.remaining)]


def _changed_lines(repriced: Sequence[Bought], returned: Sequence[Bought]) -> list[Values]:
    """A row per line: a statement may not change the same line twice."""
    points = {(each.purchase_id, no): value for each in repriced for no, value in enumerate(each.price.line_points)}
    shares = {(each.purchase_id, no): str(value) for each in returned for no, value in enumerate(each.returned)}
    return [(*line, points.get(line), shares.get(line)) for line in sorted(points.keys() | shares.keys())]


def _message_values(message: Message) -> Values:
    return (message.event_id, message.type, message.key, message.body)


def _mark_stored(passbook: Passbook) -> None:
    passbook.is_new = False
    passbook.revision += 1
    passbook.facts, passbook.postings, passbook.repriced = [], [], {}
    passbook.stored_lots = {lot.lot_id: (lot.issued, lot.remaining) for lot in passbook.account.lots.values()}
