"""The feed within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_gateway.domain.deliveries import Numbered

SEQUENCER_LOCK = 7_402
"""Advisory lock of the transaction that gives numbers: held until its commit is seen by the next holder."""

_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_NUMBER = text(
    """
    WITH fresh AS (
        SELECT place, row_number() OVER (ORDER BY place) AS rank
        FROM (SELECT place FROM events WHERE sequence IS NULL ORDER BY place LIMIT :limit) AS first
    ), numbered AS (
        UPDATE events SET sequence = feed.last + fresh.rank FROM fresh, feed
        WHERE events.place = fresh.place RETURNING 1
    ), counted AS (
        SELECT count(*) AS many FROM numbered
    )
    UPDATE feed SET last = last + counted.many FROM counted WHERE counted.many > 0 RETURNING counted.many
    """
)
_ENDS = text("SELECT forgotten, last FROM feed")
_READ = """
    SELECT sequence, body FROM events
    WHERE sequence > :after AND sequence <= :up_to{types} ORDER BY sequence LIMIT :limit
"""
_OF_ALL_TYPES = text(_READ.format(types=""))
_OF_SOME_TYPES = text(_READ.format(types=" AND type = ANY(CAST(:types AS text[]))"))
# The mark first, and in the same commit: no reader finds a hole where it was told there is none.
_FORGET = text(
    """
    WITH old AS (
        SELECT place, sequence FROM events
        WHERE sequence IS NOT NULL AND received_at < :before ORDER BY sequence LIMIT :limit
    ), marked AS (
        UPDATE feed SET forgotten = (SELECT max(sequence) FROM old) WHERE EXISTS (SELECT FROM old)
    )
    DELETE FROM events USING old WHERE events.place = old.place
    """
)
_FORGET_DELIVERIES = text(
    "DELETE FROM deliveries WHERE id = ANY(ARRAY("
    "SELECT id FROM deliveries WHERE created_at < :before ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED))"
)


class SqlFeed:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def number(self, limit: int) -> int:
        if not await self._connection.scalar(_TRY_LOCK, {"lock": SEQUENCER_LOCK}):
            return 0
        return int(await self._connection.scalar(_NUMBER, {"limit": limit}) or 0)

    async def ends(self) -> tuple[int, int]:
        row = (await self._connection.execute(_ENDS)).one()
        return row.forgotten, row.last

    async def read(self, *, after: int, up_to: int, types: frozenset[str] | None, limit: int) -> Sequence[Numbered]:
        asked: dict[str, object] = {"after": after, "up_to": up_to, "limit": limit}
        if types is None:
            found = await self._connection.execute(_OF_ALL_TYPES, asked)
        else:
            found = await self._connection.execute(_OF_SOME_TYPES, asked | {"types": sorted(types)})
        return [Numbered(row.sequence, bytes(row.body)) for row in found]

    async def forget(self, before: datetime, limit: int) -> int:
        old = {"before": before, "limit": limit}
        deliveries = (await self._connection.execute(_FORGET_DELIVERIES, old)).rowcount
        return max(deliveries, (await self._connection.execute(_FORGET, old)).rowcount)
