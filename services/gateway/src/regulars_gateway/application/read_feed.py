from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass

from regulars_gateway.application.ports import Begin
from regulars_gateway.domain.deliveries import Numbered
from regulars_gateway.domain.endpoints import checked_types
from regulars_gateway.domain.refusals import CursorExpired


@dataclass(frozen=True, slots=True)
class Feed:
    """`read_up_to`: the number to go on after, also when nothing wanted came before it. `has_more`: at once."""

    items: Sequence[Numbered]
    read_up_to: int
    has_more: bool


async def read_feed(
    begin: Begin, *, after: int | None, types: Collection[str] | None, known_types: Set[str], limit: int
) -> Feed:
    """The events after that number, in order; with None the oldest that are kept.

    Raises `CursorExpired` when some after it are forgotten already, and `UnknownEventType`.
    """
    wanted = checked_types(types, known_types)
    async with begin() as unit:
        forgotten, last = await unit.feed.ends()
        start = forgotten if after is None else after
        if start < forgotten:
            raise CursorExpired(f"the feed begins after {forgotten}: what came before is older than 30 days")
        found = await unit.feed.read(after=start, up_to=last, types=wanted, limit=limit + 1)
    if len(found) > limit:
        return Feed(found[:limit], found[limit - 1].sequence, has_more=True)
    return Feed(found, max(start, last), has_more=False)
