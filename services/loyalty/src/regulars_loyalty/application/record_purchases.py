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

from regulars_kit.values import Clock, Refused
from regulars_loyalty.application.accepting import accept, check_not_in_the_future, side_effects, tier_of
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
from regulars_loyalty.application.purchase_rows import (
    Answer,
    RecordPurchase,
    Shopper,
    announcement_of,
    priced_row,
    unclaimed_row,
)
from regulars_loyalty.domain.facts import PurchaseMade
from regulars_loyalty.domain.programme import Programme, Programmes, Version
from regulars_loyalty.domain.purchase import Receipt
from regulars_loyalty.domain.refusals import (
    CurrencyNotInProgramme,
    IdempotencyKeyConflict,
    ReceiptNumberTaken,
    UnknownCustomer,
    UnknownStore,
)


@dataclass(slots=True)
class _Batch:
    """What a batch has read under lock, and what it has decided so far."""

    unit: LoyaltyUnit
    now: datetime
    programmes: Programmes
    holders: dict[str, UUID]
    passbooks: dict[Owner, Passbook] = field(default_factory=dict)
    by_id: dict[UUID, FirstPurchase] = field(default_factory=dict)
    by_key: dict[tuple[str, str], FirstPurchase] = field(default_factory=dict)
    by_receipt: dict[Receipt, FirstPurchase] = field(default_factory=dict)
    writing: Writing = field(default_factory=Writing)

    def remember(self, first: FirstPurchase) -> None:
        self.by_id[first.first.fact_id] = first
        self.by_receipt[first.receipt] = first
        if first.first.idempotency_key is not None:
            self.by_key[first.first.client, first.first.idempotency_key] = first

    def customer(self, shopper: Shopper | None) -> UUID | None:
        if shopper is None:
            return None
        return shopper.customer_id or self.holders.get(shopper.identifier_hash or "")


async def record_purchases(commands: Sequence[RecordPurchase], begin: Begin, now: Clock) -> list[Answer | Refused]:
    """Answer each purchase, in order. Raises Unavailable when nothing could be stored, and then nothing was."""
    try:
        return await _record_together(commands, begin, now)
    except Raced:
        # Another process stored a twin of one of these first. Alone, each finds the twin's answer.
        return [await _record_alone(command, begin, now) for command in commands]


async def _record_alone(command: RecordPurchase, begin: Begin, now: Clock) -> Answer | Refused:
    while True:
        try:
            return (await _record_together([command], begin, now))[0]
        except Raced:
            continue


async def _record_together(commands: Sequence[RecordPurchase], begin: Begin, now: Clock) -> list[Answer | Refused]:
    async with begin() as unit:
        batch = await _read(unit, commands, now())
        answers = [await _answer(batch, command) for command in commands]
        if batch.writing.purchases:
            await unit.write(batch.writing)
        return answers


async def _read(unit: LoyaltyUnit, commands: Sequence[RecordPurchase], now: datetime) -> _Batch:
    """Lock the accounts first: what is read after that cannot be changed by a twin of this batch."""
    hashes = {c.shopper.identifier_hash for c in commands if c.shopper and c.shopper.identifier_hash}
    holders = await unit.customer_of(sorted(hashes)) if hashes else {}
    batch = _Batch(unit, now, await unit.programmes(), dict(holders))
    owners = {owner for command in commands if (owner := _owner(batch, command))}
    if owners:
        batch.passbooks = await unit.lock(sorted(owners, key=_lock_order), open_missing=True)
    for first in await unit.firsts(
        [command.purchase.purchase_id for command in commands],
        [(command.client, command.idempotency_key) for command in commands if command.idempotency_key],
        [command.purchase.receipt for command in commands],
    ):
        batch.remember(first)
    return batch


def _lock_order(owner: Owner) -> tuple[UUID, str, str]:
    return (owner.customer_id, owner.programme, owner.wallet)


def _owner(batch: _Batch, command: RecordPurchase) -> Owner | None:
    customer_id = batch.customer(command.shopper)
    if customer_id is None:
        return None
    try:
        programme = _programme(batch.programmes, command)
        programme.at(command.purchase.occurred_at)
    except Refused:
        return None
    return Owner(customer_id, programme.code, programme.wallet)


def _programme(programmes: Programmes, command: RecordPurchase) -> Programme:
    """The programme the store belongs to. Raises UnknownStore, and UnknownProgramme for a name that is none."""
    store, at = command.purchase.receipt.store, command.purchase.occurred_at
    if command.programme is None:
        programme = programmes.serving(store, at)
    else:
        named = programmes.named(command.programme)
        programme = named if named.at(at).serves(store) else None
    if programme is None:
        raise UnknownStore("no programme in force then serves this store; name it in a programme", field="/store")
    return programme


async def _answer(batch: _Batch, command: RecordPurchase) -> Answer | Refused:
    try:
        before = _found_before(batch, command)
        return before if before is not None else await _record(batch, command)
    except Refused as refusal:
        return refusal


def _found_before(batch: _Batch, command: RecordPurchase) -> Answer | None:
    """The answer given before to the same id or key, or to the same receipt (P8). Raises on other content."""
    receipt = command.purchase.receipt
    key = (command.client, command.idempotency_key or "")
    twin = batch.by_id.get(command.purchase.purchase_id) or batch.by_key.get(key)
    if twin is None:
        double = batch.by_receipt.get(receipt)
        if double is None:
            return None
        return _answer_of_double(command, double)
    if twin.first.content_hash != command.content_hash:
        raise IdempotencyKeyConflict("this id or Idempotency-Key was used before with other content")
    return Answer(twin.first.answer, is_replayed=True)


def _answer_of_double(command: RecordPurchase, double: FirstPurchase) -> Answer:
    if double.sale_hash != command.sale_hash:
        raise ReceiptNumberTaken("this receipt number stands for another sale", field="/receipt_no")
    first = double.first
    is_retry = not command.is_named and command.idempotency_key is None and first.idempotency_key is None
    if is_retry and first.content_hash == command.content_hash:
        return Answer(first.answer, is_replayed=True)
    body = json.loads(first.answer) | {"duplicate_of": str(first.fact_id)}
    return Answer(json.dumps(body, separators=(",", ":")), is_replayed=True)


async def _record(batch: _Batch, command: RecordPurchase) -> Answer:
    purchase = command.purchase
    check_not_in_the_future(purchase.occurred_at, batch.now)
    programme = _programme(batch.programmes, command)
    version = programme.at(purchase.occurred_at)
    if purchase.currency not in version.earn:
        raise CurrencyNotInProgramme("this programme earns nothing in this currency", field="/currency")
    customer_id = batch.customer(command.shopper)
    if customer_id is None and purchase.paid_in_points_minor:
        raise UnknownCustomer("only a known customer can pay with points", field="/customer")
    if customer_id is None:
        row = unclaimed_row(batch.now, command, version)
        batch.writing.announcements.append(announcement_of(row, programme.wallet, None, is_late=False))
    else:
        passbook = batch.passbooks[Owner(customer_id, programme.code, programme.wallet)]
        row = await _credit(batch, command, programme, version, passbook)
    batch.writing.purchases.append(row)
    batch.remember(row.first)
    return Answer(row.first.first.answer, is_replayed=False)


async def _credit(
    batch: _Batch, command: RecordPurchase, programme: Programme, version: Version, passbook: Passbook
) -> PurchaseRow:
    purchase = command.purchase
    fact = PurchaseMade(purchase.purchase_id, purchase.occurred_at, version.number, purchase, None)
    tier_before = tier_of(passbook, version)
    postings, is_late = await accept(batch.unit, passbook, fact, programme, batch.now)
    row = priced_row(batch.now, command, programme, version, passbook)
    if passbook not in batch.writing.passbooks:
        batch.writing.passbooks.append(passbook)
    batch.writing.announcements.append(announcement_of(row, programme.wallet, passbook, is_late=is_late))
    batch.writing.announcements.extend(side_effects(passbook, fact, postings, tier_before, purchase.occurred_at))
    return row
