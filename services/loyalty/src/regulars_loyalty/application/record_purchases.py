"""Record purchases: what a till posts, one or many, priced and answered in one commit.

Purchases that arrive together share the transaction; each has its own answer, in the order of arrival, and a
refused one harms no other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from regulars_kit.values import Clock, Refused, value
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


@value
class _Order:
    """A purchase of a batch, where it belongs, and the sale that was priced ahead, if that may stand."""

    command: RecordPurchase
    placed: Placed | Refused
    sale: Sale | None = None

    @property
    def owner(self) -> Owner | None:
        return self.placed.owner if isinstance(self.placed, Placed) else None


@dataclass(slots=True)
class _Batch:
    """What a batch has read under lock, and what it has decided so far."""

    unit: LoyaltyUnit
    now: datetime
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

    def take(self, sale: Sale) -> Answer:
        self.rows.append(sale.row)
        self.announcements.extend(sale.announcements)
        return Answer(sale.row.first.first.answer, is_replayed=False)


async def record_purchases(commands: Sequence[RecordPurchase], begin: Begin, now: Clock) -> list[Answer | Refused]:
    """Answer each purchase, in order. Raises Unavailable when nothing could be stored, and then nothing was."""
    try:
        return _all(await _record_together(commands, begin, now(), None))
    except Raced:
        # Another process stored a twin of one of these first. Alone, each finds the twin's answer.
        return [await _record_alone(command, begin, now) for command in commands]


async def record_priced(
    commands: Sequence[RecordPurchase], begin: Begin, now: Clock, ahead: Ahead
) -> Sequence[Answer | Refused | None]:
    """The same, when the last of the commands were priced `ahead`.

    Of these, the ones whose account another process holds, or has changed since, are not waited for: None is their
    answer, and the next batch is to begin with them.
    """
    try:
        return await _record_together(commands, begin, ahead.at, ahead)
    except Raced:
        # A retry is among them, or an account was opened meanwhile.
        return await record_purchases(commands, begin, now)


async def _record_alone(command: RecordPurchase, begin: Begin, now: Clock) -> Answer | Refused:
    while True:
        try:
            return _all(await _record_together([command], begin, now(), None))[0]
        except Raced:
            continue


def _all(answers: Sequence[Answer | Refused | None]) -> list[Answer | Refused]:
    told = [answer for answer in answers if answer is not None]
    assert len(told) == len(answers), "nothing is left for another batch where nothing was priced ahead"
    return told


async def _record_together(
    commands: Sequence[RecordPurchase], begin: Begin, at: datetime, ahead: Ahead | None
) -> list[Answer | Refused | None]:
    async with begin() as unit:
        batch, orders = _Batch(unit, at), await _orders(unit, commands, at, ahead)
        # What takes waiting first: nobody waits for those who hold what was priced ahead.
        await _lock(batch, [order for order in orders if order.sale is None])
        if ahead:
            await _lock_standing(batch, orders, ahead)
        answers = [await _answer(batch, order) for order in orders]
        if batch.rows:
            passbooks = list(batch.touched.values())
            for passbook in passbooks:
                batch.announcements.extend(take_untold(passbook))
            await unit.write(Writing(passbooks, batch.rows, announcements=batch.announcements))
        return answers


async def _orders(
    unit: LoyaltyUnit, commands: Sequence[RecordPurchase], now: datetime, ahead: Ahead | None
) -> list[_Order]:
    hashes = identifier_hashes(commands)
    holders = await unit.customer_of(hashes) if hashes else {}
    programmes = await unit.programmes()
    placed = ahead.placed if ahead and ahead.holds_for(programmes, holders) else []
    others = len(commands) - len(placed)
    orders = [_Order(command, place(command, programmes, holders, now)) for command in commands[:others]]
    if ahead and placed:
        owners = {order.owner for order in orders if order.owner}
        for command, each in zip(commands[others:], placed, strict=True):
            order = _Order(command, each, ahead.sale_of(each))
            # An owner's purchases stay together, and in their order.
            orders.append(_Order(command, each) if order.owner in owners else order)
    return orders


async def _lock(batch: _Batch, orders: Sequence[_Order]) -> None:
    """Lock the accounts first: what is read after that cannot be changed by a twin of this batch."""
    owners = {order.owner for order in orders if order.owner}
    if owners:
        batch.passbooks = await batch.unit.lock(list(owners), open_missing=True)
    commands = [order.command for order in orders]
    if not commands:
        return
    for first in await batch.unit.firsts(
        [command.purchase.purchase_id for command in commands],
        [(command.client, command.idempotency_key) for command in commands if command.idempotency_key],
        [command.purchase.receipt for command in commands],
    ):
        batch.remember(first)


async def _lock_standing(batch: _Batch, orders: Sequence[_Order], ahead: Ahead) -> None:
    passbooks = {order.owner: ahead.passbooks[order.owner] for order in orders if order.sale and order.owner}
    for passbook in await batch.unit.lock_standing(list(passbooks.values())):
        batch.touched[passbook.owner] = passbook


async def _answer(batch: _Batch, order: _Order) -> Answer | Refused | None:
    if order.sale:
        return batch.take(order.sale) if order.owner is None or order.owner in batch.touched else None
    try:
        before = _found_before(batch, order.command)
        if before is not None:
            return before
        if isinstance(order.placed, Refused):
            return order.placed
        sale = await _sale(batch, order.placed)
    except Refused as refusal:
        return refusal
    batch.remember(sale.row.first)
    return batch.take(sale)


async def _sale(batch: _Batch, placed: Placed) -> Sale:
    if placed.owner is None:
        return sell_to_nobody(placed, batch.now)
    passbook = batch.passbooks[placed.owner]
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


def _answer_of_double(command: RecordPurchase, double: FirstPurchase) -> Answer:
    if double.sale_hash != command.sale_hash:
        raise ReceiptNumberTaken("this receipt number stands for another sale", field="/receipt_no")
    first = double.first
    is_retry = not command.is_named and command.idempotency_key is None and first.idempotency_key is None
    if is_retry and first.content_hash == command.content_hash:
        return Answer(first.answer, is_replayed=True)
    body = json.loads(first.answer) | {"duplicate_of": str(first.fact_id)}
    return Answer(json.dumps(body, separators=(",", ":")), is_replayed=True)
