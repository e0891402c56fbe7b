"""A large batch is priced before its accounts are locked: while the one before it is stored, and so that another
process waits for the writing alone.

Two processes with a few hundred purchases each nearly always meet on some account. Under the lock, what was priced
ahead counts where the account still stands as it was read, and the rest is priced again: same answers, shorter locks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from regulars_kit.values import Clock, Refused, value
from regulars_loyalty.application.ports import Begin, LoyaltyUnit, Owner, Passbook
from regulars_loyalty.application.purchase_rows import RecordPurchase
from regulars_loyalty.application.selling import Placed, Sale, place, sell
from regulars_loyalty.domain.programme import Programmes

WORTH_IT = 50
"""Purchases of a batch; below that another read costs more than the shorter locks give."""


@value
class Ahead:
    """`placed` runs parallel to the batch; `sales`, by purchase, were priced on `passbooks` as of `at`.

    A purchase that was refused, or is nobody's, has no sale.
    """

    at: datetime
    programmes: Programmes
    holders: Mapping[str, UUID]
    placed: list[Placed | Refused]
    passbooks: dict[Owner, Passbook]
    sales: dict[UUID, Sale]

    def holds_for(self, programmes: Programmes, holders: Mapping[str, UUID]) -> bool:
        """Whether the purchases still belong where they were placed."""
        return programmes is self.programmes and holders == self.holders


async def price_ahead(commands: Sequence[RecordPurchase], begin: Begin, clock: Clock) -> Ahead | None:
    """Price what can be; None where it is not worth it, or where twins in the batch need each other's answers."""
    if len(commands) < WORTH_IT or _has_twins(commands):
        return None
    now = clock()
    async with begin() as unit:
        programmes = await unit.programmes()
        hashes = identifier_hashes(commands)
        holders = await unit.holders_of(hashes) if hashes else {}
        placed = [place(command, programmes, holders, now) for command in commands]
        owners = [owner for each in placed if isinstance(each, Placed) and (owner := each.owner)]
        ahead = Ahead(now, programmes, holders, placed, await unit.peek(owners), {})
        for each in placed:
            if isinstance(each, Placed) and each.owner in ahead.passbooks:
                await _sell(unit, each, each.owner, ahead, now)
    return ahead


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


async def _sell(unit: LoyaltyUnit, placed: Placed, owner: Owner, ahead: Ahead, now: datetime) -> None:
    try:
        ahead.sales[placed.command.purchase.purchase_id] = await sell(unit, placed, ahead.passbooks[owner], now)
    except Refused:
        # Judged again under the lock, from the start: the owner's other sales with it.
        del ahead.passbooks[owner]
