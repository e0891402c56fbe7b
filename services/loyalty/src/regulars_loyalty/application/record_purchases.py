"""Record purchases: what a till posts, one or many, priced and answered in one commit.

Purchases that arrive together share the transaction; each has its own answer, in the order of arrival, and a
refused one harms no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from regulars_kit.values import Clock, Refused
from regulars_loyalty.application.accepting import take_untold
from regulars_loyalty.application.ports import (
    Begin,
    FirstPurchase,
    LoyaltyUnit,
    Owner,
    Passbook,
    PurchaseRow,
    Raced,
    Writing,
)
from regulars_loyalty.application.pricing_ahead import Ahead, identifier_hashes
from regulars_loyalty.application.purchase_rows import Answer, RecordPurchase
from regulars_loyalty.application.selling import Placed, Sale, place, sell, sell_to_nobody
from regulars_loyalty.domain.announcements import Announcement
from regulars_loyalty.domain.purchase import Receipt
from regulars_loyalty.domain.refusals import IdempotencyKeyConflict, ReceiptNumberTaken


@dataclass(slots=True)
class _Batch:
    """What a batch has read under lock, and what it has decided so far."""

    unit: LoyaltyUnit
    now: datetime
    ahead: Ahead | None
    passbooks: dict[Owner, Passbook] = field(default_factory=dict)
    by_id: dict[UUID, FirstPurchase] = field(default_factory=dict)
    by_key: dict[tuple[str, str], FirstPurchase] = field(default_factory=dict)
    by_receipt: dict[Receipt, FirstPurchase] = field(default_factory=dict)
    touched: dict[Owner, Passbook] = field(default_factory=dict)
    rows: list[PurchaseRow] = field(default_factory=list)
    announcements: list[Announcement] = field(default_factory=list)

    def remember(self, first: FirstPurchase) -> None:
        self.by_id[first.first.fact_id] = first
        self.by_receipt[first.receipt] = first
        if first.first.idempotency_key is not None:
            self.by_key[first.first.client, first.first.idempotency_key] = first

    def take(self, sale: Sale) -> None:
        self.rows.append(sale.row)
        self.announcements.extend(sale.announcements)
        self.remember(sale.row.first)


async def record_purchases(
    commands: Sequence[RecordPurchase],
    begin: Begin,
    now: Clock,
    ahead: Ahead | None = None,
    on_locked: Callable[[], None] = lambda: None,
) -> list[Answer | Refused]:
    """Answer each purchase, in order. Raises Unavailable when nothing could be stored, and then nothing was.

    `ahead` is what `price_ahead` made of the same commands, if it was asked. `on_locked` is called once the accounts
    are locked: another batch that begins then comes after this one wherever they meet.
    """
    try:
        return await _record_together(commands, begin, ahead.at if ahead else now(), ahead, on_locked)
    except Raced:
        # Another process stored a twin of one of these first. Alone, each finds the twin's answer.
        return [await _record_alone(command, begin, now) for command in commands]


async def _record_alone(command: RecordPurchase, begin: Begin, now: Clock) -> Answer | Refused:
    while True:
        try:
            return (await _record_together([command], begin, now()))[0]
        except Raced:
            continue


async def _record_together(
    commands: Sequence[RecordPurchase],
    begin: Begin,
    at: datetime,
    ahead: Ahead | None = None,
    on_locked: Callable[[], None] = lambda: None,
) -> list[Answer | Refused]:
    async with begin() as unit:
        batch, placed = await _locked(unit, commands, at, ahead)
        on_locked()
        answers = [await _answer(batch, *each) for each in zip(commands, placed, strict=True)]
        if batch.rows:
            passbooks = list(batch.touched.values())
            for passbook in passbooks:
                batch.announcements.extend(take_untold(passbook))
            await unit.write(Writing(passbooks, batch.rows, announcements=batch.announcements))
        return answers


async def _locked(
    unit: LoyaltyUnit, commands: Sequence[RecordPurchase], now: datetime, ahead: Ahead | None
) -> tuple[_Batch, list[Placed | Refused]]:
    """Lock the accounts first: what is read after that cannot be changed by a twin of this batch."""
    hashes = identifier_hashes(commands)
    holders = await unit.customer_of(hashes) if hashes else {}
    programmes = await unit.programmes()
    if ahead and not ahead.holds_for(programmes, holders):
        ahead = None
    batch = _Batch(unit, now, ahead)
    placed = ahead.placed if ahead else [place(command, programmes, holders, now) for command in commands]
    owners = {each.owner for each in placed if isinstance(each, Placed) and each.owner}
    if owners:
        known = ahead.passbooks if ahead else {}
        batch.passbooks = await unit.lock(list(owners), open_missing=True, known=known)
    for first in await unit.firsts(
        [command.purchase.purchase_id for command in commands],
        [(command.client, command.idempotency_key) for command in commands if command.idempotency_key],
        [command.purchase.receipt for command in commands],
    ):
        batch.remember(first)
    if ahead and batch.by_id:
        await _read_again(batch, placed)
    return batch, placed


async def _read_again(batch: _Batch, placed: Sequence[Placed | Refused]) -> None:
    """What was priced ahead was priced with the retries in it: those accounts begin anew."""
    owners = {
        each.owner
        for each in placed
        if isinstance(each, Placed) and each.owner and _first_of(batch, each.command) is not None
    }
    if owners:
        batch.passbooks |= await batch.unit.lock(list(owners), open_missing=True)


async def _answer(batch: _Batch, command: RecordPurchase, placed: Placed | Refused) -> Answer | Refused:
    try:
        before = _found_before(batch, command)
        if before is not None:
            return before
        if isinstance(placed, Refused):
            return placed
        sale = await _sale(batch, placed)
    except Refused as refusal:
        return refusal
    batch.take(sale)
    return Answer(sale.row.first.first.answer, is_replayed=False)


async def _sale(batch: _Batch, placed: Placed) -> Sale:
    if placed.owner is None:
        return sell_to_nobody(placed, batch.now)
    passbook = batch.passbooks[placed.owner]
    if batch.ahead and batch.ahead.passbooks.get(placed.owner) is passbook:
        sale = batch.ahead.sales[placed.command.purchase.purchase_id]
    else:
        sale = await sell(batch.unit, placed, passbook, batch.now)
    batch.touched[placed.owner] = passbook
    return sale


def _found_before(batch: _Batch, command: RecordPurchase) -> Answer | None:
    """The answer given before to the same id or key, or to the same receipt (P8). Raises on other content."""
    twin = _twin(batch, command)
    if twin is None:
        double = batch.by_receipt.get(command.purchase.receipt)
        return None if double is None else _answer_of_double(command, double)
    if twin.first.content_hash != command.content_hash:
        raise IdempotencyKeyConflict("this id or Idempotency-Key was used before with other content")
    return Answer(twin.first.answer, is_replayed=True)


def _twin(batch: _Batch, command: RecordPurchase) -> FirstPurchase | None:
    key = (command.client, command.idempotency_key or "")
    return batch.by_id.get(command.purchase.purchase_id) or batch.by_key.get(key)


def _first_of(batch: _Batch, command: RecordPurchase) -> FirstPurchase | None:
    return _twin(batch, command) or batch.by_receipt.get(command.purchase.receipt)


def _answer_of_double(command: RecordPurchase, double: FirstPurchase) -> Answer:
    if double.sale_hash != command.sale_hash:
        raise ReceiptNumberTaken("this receipt number stands for another sale", field="/receipt_no")
    first = double.first
    is_retry = not command.is_named and command.idempotency_key is None and first.idempotency_key is None
    if is_retry and first.content_hash == command.content_hash:
        return Answer(first.answer, is_replayed=True)
    body = json.loads(first.answer) | {"duplicate_of": str(first.fact_id)}
    return Answer(json.dumps(body, separators=(",", ":")), is_replayed=True)
