"""Purchases are priced before their accounts are locked, on what stands then, and stored so where it still does.

A few are stored without a lock (`record_at_once`). Of a large batch (`record_purchases`) those wait for the next one
whose account another process holds or has changed since: two processes with a few hundred purchases each nearly always
meet on some account, and would take turns at everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from regulars_kit.values import Clock, Refused, value
from regulars_loyalty.application.ports import Begin, LoyaltyUnit, Owner, Passbook
from regulars_loyalty.application.purchase_rows import RecordPurchase
from regulars_loyalty.application.selling import Placed, Sale, needs_more, place, sell, sell_to_nobody
from regulars_loyalty.domain.programme import Programmes

LARGE = 50
"""Purchases of a batch of which some may not stand; of fewer, all of them mostly do."""


@value
class Ahead:
    """`placed` runs parallel to the purchases; `sales`, by purchase, were priced on `passbooks` as of `at`. `hashes`
    are the identifiers shown, `holders` who had them.

    A purchase that was refused, or whose account alone does not price it, has no sale.
    """

    at: datetime
    programmes: Programmes
    hashes: Sequence[str]
    holders: Mapping[str, UUID]
    placed: list[Placed | Refused]
    passbooks: dict[Owner, Passbook]
    sales: dict[UUID, Sale]

    def holds_for(self, programmes: Programmes, holders: Mapping[str, UUID]) -> bool:
        """Whether the purchases still belong where they were placed; `holders` may be of other identifiers too."""
        return programmes is self.programmes and all(
            holders.get(each) == self.holders.get(each) for each in self.hashes
        )

    def sale_of(self, placed: Placed | Refused) -> Sale | None:
        """The sale that may be stored while the account stands as it was read; None where the row alone did not do."""
        if isinstance(placed, Refused) or (placed.owner and placed.owner not in self.passbooks):
            return None
        return self.sales[placed.command.purchase.purchase_id]


async def price_ahead(commands: Sequence[RecordPurchase], at_once: Begin, clock: Clock) -> Ahead | None:
    """Price what can be of a large batch; None for a small one, and where `price` says so."""
    if len(commands) < LARGE:
        return None
    async with at_once() as unit:
        return await price(unit, commands, clock())


async def price(unit: LoyaltyUnit, commands: Sequence[RecordPurchase], now: datetime) -> Ahead | None:
    """Price what the accounts' rows alone decide, unlocked.

    None where twins in the batch need each other's answers, and where a programme was published just now.
    """
    if _has_twins(commands):
        return None
    programmes = unit.programmes_at_hand()
    hashes = identifier_hashes(commands)
    holders = await unit.holders_of(hashes) if hashes else {}
    placed = [place(command, programmes, holders, now) for command in commands]
    owners = [owner for each in placed if isinstance(each, Placed) and (owner := each.owner)]
    ahead = Ahead(now, programmes, hashes, holders, placed, await unit.peek(owners), {})
    for each in placed:
        if isinstance(each, Placed):
            await _sell(unit, each, ahead)
    return ahead if await unit.programmes() is programmes else None


def identifier_hashes(commands: Sequence[RecordPurchase]) -> list[str]:
    """The identifiers shown, in the order in which they are locked."""
    return sorted({c.shopper.identifier_hash for c in commands if c.shopper and c.shopper.identifier_hash})


def _has_twins(commands: Sequence[RecordPurchase]) -> bool:
    keys = [(command.client, command.idempotency_key) for command in commands if command.idempotency_key]
    names: tuple[list[object], ...] = (
        [command.purchase.purchase_id for command in commands],
        [command.purchase.receipt for command in commands],
        [*keys],
    )
    return any(len(set(each)) < len(each) for each in names)


async def _sell(unit: LoyaltyUnit, placed: Placed, ahead: Ahead) -> None:
    if placed.owner is None:
        ahead.sales[placed.command.purchase.purchase_id] = sell_to_nobody(placed, ahead.at)
    elif passbook := ahead.passbooks.get(placed.owner):
        sale = None if needs_more(placed, passbook) else await _sale(unit, placed, passbook, ahead.at)
        if sale is None:
            # Judged again under the lock, from the start: the owner's other sales with it.
            del ahead.passbooks[placed.owner]
        else:
            ahead.sales[placed.command.purchase.purchase_id] = sale


async def _sale(unit: LoyaltyUnit, placed: Placed, passbook: Passbook, at: datetime) -> Sale | None:
    try:
        return await sell(unit, placed, passbook, at)
    except Refused:
        return None
