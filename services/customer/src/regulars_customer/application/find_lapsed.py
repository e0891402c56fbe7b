from __future__ import annotations

from regulars_customer.application.follow_events import move_on
from regulars_customer.application.ports import Listens
from regulars_customer.domain.life_cycle import Rules
from regulars_kit.values import Clock


async def find_lapsed(begin: Listens, rules: Rules, now: Clock, limit: int) -> int:
    """Move up to `limit` customers whom time alone made `lapsed`; how many it found."""
    at = now()
    async with begin() as unit:
        silent = await unit.due(at - rules.lapsed_after, limit)
        await move_on(unit, silent, rules, at)
    return len(silent)
