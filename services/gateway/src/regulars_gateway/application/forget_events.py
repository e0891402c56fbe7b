from __future__ import annotations

from datetime import timedelta

from regulars_gateway.application.ports import Begin
from regulars_kit.values import Clock

KEPT = timedelta(days=30)
AT_ONCE = 5_000


async def forget_events(begin: Begin, now: Clock) -> int:
    """Drop from the feed what came more than 30 days ago, from its beginning on; how many."""
    forgotten = 0
    while True:
        async with begin() as unit:
            more = await unit.feed.forget(now() - KEPT, AT_ONCE)
        forgotten += more
        if more < AT_ONCE:
            return forgotten
