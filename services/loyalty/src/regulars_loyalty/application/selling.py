"""One purchase on one account: where it belongs, what it earns there, and what the others hear of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from regulars_kit.values import Refused, value
from regulars_loyalty.application.accepting import (
    accept,
    check_not_in_the_future,
    side_effects,
    take_untold,
    tier_of,
)
from regulars_loyalty.application.ports import LoyaltyUnit, Owner, Passbook, PurchaseRow
from regulars_loyalty.application.purchase_rows import RecordPurchase, announcement_of, priced_row, unclaimed_row
from regulars_loyalty.domain.announcements import Announcement
from regulars_loyalty.domain.facts import PurchaseMade
from regulars_loyalty.domain.folding import is_late, needs_lots
from regulars_loyalty.domain.programme import Programme, Programmes, Version
from regulars_loyalty.domain.refusals import CurrencyNotInProgramme, UnknownCustomer, UnknownStore


@value
class Placed:
    """A purchase with the programme of its store, the version of its day, and the account it goes to.

    `owner` is None while nobody is known to have made it.
    """

    command: RecordPurchase
    programme: Programme
    version: Version
    owner: Owner | None


@value
class Sale:
    """A priced purchase, not stored yet."""

    row: PurchaseRow
    announcements: list[Announcement]


def place(
    command: RecordPurchase, programmes: Programmes, holders: Mapping[str, UUID], now: datetime
) -> Placed | Refused:
    """Say where a purchase belongs; `holders` are the customers of the identifiers shown.

    A refusal (InTheFuture, UnknownProgramme, UnknownStore, CurrencyNotInProgramme, UnknownCustomer where nobody known
    pays with points) is not raised: a retry of what was accepted before is never told of it.
    """
    try:
        return _place(command, programmes, holders, now)
    except Refused as refusal:
        return refusal


def _place(command: RecordPurchase, programmes: Programmes, holders: Mapping[str, UUID], now: datetime) -> Placed:
    purchase = command.purchase
    check_not_in_the_future(purchase.occurred_at, now)
    programme = _programme(programmes, command)
    version = programme.at(purchase.occurred_at)
    if purchase.currency not in version.earn:
        raise CurrencyNotInProgramme("this programme earns nothing in this currency", field="/currency")
    customer_id = _customer(command, holders)
    if customer_id is None and purchase.paid_in_points_minor:
        raise UnknownCustomer("only a known customer can pay with points", field="/customer")
    owner = Owner(customer_id, programme.code, programme.wallet) if customer_id else None
    return Placed(command, programme, version, owner)


def _programme(programmes: Programmes, command: RecordPurchase) -> Programme:
    store, at = command.purchase.receipt.store, command.purchase.occurred_at
    if command.programme is None:
        programme = programmes.serving(store, at)
    else:
        named = programmes.named(command.programme)
        programme = named if named.at(at).serves(store) else None
    if programme is None:
        raise UnknownStore("no programme in force then serves this store; name it in a programme", field="/store")
    return programme


def _customer(command: RecordPurchase, holders: Mapping[str, UUID]) -> UUID | None:
    shopper = command.shopper
    if shopper is None:
        return None
    return shopper.customer_id or holders.get(shopper.identifier_hash or "")


def sell_to_nobody(placed: Placed, now: datetime) -> Sale:
    """The sale of a purchase that earns nothing until somebody claims it."""
    row = unclaimed_row(now, placed.command, placed.version)
    return Sale(row, [announcement_of(row, placed.programme.wallet, None, is_late=False)])


def needs_more(placed: Placed, passbook: Passbook) -> bool:
    """Whether it takes more than the account's row to price the purchase: its lots, or its history."""
    account, fact = passbook.account, _fact(placed)
    return is_late(account, fact, placed.programme) or needs_lots(account, fact)


async def sell(unit: LoyaltyUnit, placed: Placed, passbook: Passbook, now: datetime) -> Sale:
    """Fold a purchase into its passbook. Raises the refusals of `accept`, and leaves nothing of it there then."""
    fact, programme, version = _fact(placed), placed.programme, placed.version
    tier_before = tier_of(passbook, version)
    postings, came_late = await accept(unit, passbook, fact, programme, now)
    row = priced_row(now, placed.command, programme, version, passbook)
    announcement = announcement_of(row, programme.wallet, passbook, is_late=came_late)
    beside = side_effects(passbook, fact, postings, tier_before, fact.at)
    return Sale(row, [*take_untold(passbook), announcement, *beside])


def _fact(placed: Placed) -> PurchaseMade:
    purchase = placed.command.purchase
    return PurchaseMade(purchase.purchase_id, purchase.occurred_at, placed.version.number, purchase, None)
