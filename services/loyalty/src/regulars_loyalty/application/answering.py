"""Races, first answers and retries (P8): what every write but the purchase's batch does beside its own work."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from uuid import UUID

from regulars_loyalty.application.commands import Request
from regulars_loyalty.application.ports import Begin, FirstAnswer, LoyaltyUnit, StoredPurchase
from regulars_loyalty.application.ports import Raced as Raced
from regulars_loyalty.application.purchase_rows import Answer, Shopper
from regulars_loyalty.domain.purchase import Receipt
from regulars_loyalty.domain.refusals import IdempotencyKeyConflict, StoreNotAllowed, UnknownCustomer, UnknownPurchase

Done = TypeVar("Done")


async def in_one_unit(begin: Begin, work: Callable[[LoyaltyUnit], Awaitable[Done]]) -> Done:
    """Do the work in one transaction; begin again when it lost a race.

    To a twin that stored the same first, whose answer is found then, or by a deadlock.
    """
    while True:
        try:
            async with begin() as unit:
                return await work(unit)
        except Raced:
            continue


async def found_before(
    unit: LoyaltyUnit, request: Request, fact_id: UUID | None = None, receipt: Receipt | None = None
) -> Answer | None:
    """The answer given before to this id, key or return receipt. Raises IdempotencyKeyConflict on other content."""
    first = await unit.first_answer(fact_id, request.client, request.idempotency_key, receipt)
    if first is None:
        return None
    if first.content_hash != request.content_hash:
        raise IdempotencyKeyConflict("this id, receipt or Idempotency-Key was used before with other content")
    return Answer(first.answer, is_replayed=True)


def first_answer(fact_id: UUID, request: Request, body: Mapping[str, object]) -> FirstAnswer:
    """What is kept with an accepted fact, so that its retry gets the same answer."""
    answer = json.dumps(body, separators=(",", ":"))
    return FirstAnswer(fact_id, request.client, request.idempotency_key, request.content_hash, answer)


async def customer_of(unit: LoyaltyUnit, shopper: Shopper | None) -> UUID | None:
    """The customer who was named, or who holds the identifier shown; None when nobody does."""
    if shopper is None or shopper.identifier_hash is None:
        return shopper.customer_id if shopper else None
    return (await unit.customer_of([shopper.identifier_hash])).get(shopper.identifier_hash)


async def known_customer(unit: LoyaltyUnit, shopper: Shopper) -> UUID:
    """The same, where somebody must be meant. Raises UnknownCustomer."""
    customer_id = await customer_of(unit, shopper)
    if customer_id is None:
        raise UnknownCustomer("nobody holds this card, phone or e-mail; link it to a customer first")
    return customer_id


async def purchase_for(
    unit: LoyaltyUnit, request: Request, purchase_id: UUID, store: str | None = None
) -> StoredPurchase:
    """The purchase, unlocked, to be changed at `store` (None: at its own). Raises UnknownPurchase, StoreNotAllowed.

    Asked before all else, so that a key of other stores is told that the purchase is there, and nothing more.
    """
    stored = await unit.purchase(purchase_id)
    if stored is None:
        raise UnknownPurchase("there is no such purchase")
    if request.stores is not None and (store or stored.row.purchase.receipt.store) not in request.stores:
        raise StoreNotAllowed("this principal may not act for the store", field="/store" if store else None)
    return stored
