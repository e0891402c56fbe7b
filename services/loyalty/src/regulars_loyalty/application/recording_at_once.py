"""A few purchases, priced on what stands and stored if it still does.

Two exchanges with the database, one to read and one to write, where locking takes six; and nobody waits for a lock that
is held between them. Whatever is not plain (a retry, a refusal, a late receipt, points that are spent or run out, an
identifier of nobody, an account that somebody else just wrote to) is left to `record_purchases`.
"""

from __future__ import annotations

from collections.abc import Sequence

from regulars_kit.values import Clock, Refused
from regulars_loyalty.application.ports import Begin, LoyaltyUnit, Raced, Writing
from regulars_loyalty.application.pricing_ahead import LARGE, Ahead, price
from regulars_loyalty.application.purchase_rows import Answer, RecordPurchase
from regulars_loyalty.application.selling import Placed


async def record_at_once(commands: Sequence[RecordPurchase], at_once: Begin, clock: Clock) -> list[Answer] | None:
    """Record and answer all of them, in order; or none, and nothing was stored. Raises Unavailable."""
    if len(commands) >= LARGE:
        return None
    async with at_once() as unit:
        ahead = await price(unit, commands, clock())
        return await _stored(unit, commands, ahead) if ahead else None


async def _stored(unit: LoyaltyUnit, commands: Sequence[RecordPurchase], ahead: Ahead) -> list[Answer] | None:
    sales = [sale for placed in ahead.placed if (sale := ahead.sale_of(placed)) and _is_settled(placed)]
    if len(sales) < len(commands):
        return None
    announcements = [each for sale in sales for each in sale.announcements]
    writing = Writing(list(ahead.passbooks.values()), [sale.row for sale in sales], announcements=announcements)
    try:
        await unit.write(writing)
    except Raced:
        return None
    return [Answer(sale.row.first.first.answer, is_replayed=False) for sale in sales]


def _is_settled(placed: Placed | Refused) -> bool:
    """What was nobody's when it was priced may be somebody's now, if an identifier was shown."""
    return isinstance(placed, Placed) and (placed.owner is not None or placed.command.shopper is None)
