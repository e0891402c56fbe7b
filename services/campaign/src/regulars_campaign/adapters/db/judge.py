"""Rules put to the projection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, func, literal
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_campaign.adapters.db.compiler import Compilation
from regulars_campaign.adapters.db.tables import customers, members
from regulars_campaign.domain.rules import Rule, walk
from regulars_campaign.domain.segments import Segment, SegmentId
from regulars_kit.values import CustomerId

RULES_A_STATEMENT = 10
"""Rules of one statement share their joins; more of them would make its plan take longer than its work."""


class SqlJudge:
    """Judges within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def verdicts(
        self, segments: Sequence[Segment], customers: Collection[CustomerId], today: date
    ) -> Mapping[SegmentId, frozenset[CustomerId]]:
        found: dict[SegmentId, frozenset[CustomerId]] = {}
        for start in range(0, len(segments), RULES_A_STATEMENT):
            some = segments[start : start + RULES_A_STATEMENT]
            statement = _scoped(tuple(segment.rule for segment in some), today)
            rows = (await self._connection.execute(statement, {"ids": list(customers)})).all()
            for place, segment in enumerate(some, 1):
                found[segment.id] = frozenset(row[0] for row in rows if row[place])
        return found

    async def out_of_step(self, segment: Segment, today: date) -> Sequence[CustomerId]:
        compilation = Compilation(today, is_scoped=False)
        fulfils = compilation.verdict(segment.rule)
        is_member = and_(members.c.customer_id == customers.c.id, members.c.segment_id == literal(segment.id))
        compilation.source = compilation.source.outerjoin(members, is_member)
        statement = compilation.select(customers.c.id).where(fulfils != members.c.customer_id.is_not(None))
        return [CustomerId(found) for found in await self._connection.scalars(statement)]

    async def count(self, rule: Rule, today: date) -> int:
        compilation = Compilation(today, is_scoped=False)
        fulfils = compilation.verdict(rule)
        counted = await self._connection.scalar(compilation.select(func.count()).where(fulfils))
        return int(counted or 0)

    async def sample(self, rule: Rule, today: date, limit: int) -> Sequence[CustomerId]:
        compilation = Compilation(today, is_scoped=False)
        fulfils = compilation.verdict(rule)
        statement = compilation.select(customers.c.id).where(fulfils).order_by(customers.c.id).limit(limit)
        return [CustomerId(found) for found in await self._connection.scalars(statement)]

    async def explain(self, rule: Rule, customer_id: CustomerId, today: date) -> Mapping[str, bool] | None:
        compilation = Compilation(today, is_scoped=True)
        nodes = list(walk(rule))
        verdicts = [compilation.verdict(node).label(f"n{place}") for place, (_, node) in enumerate(nodes)]
        row = (await self._connection.execute(compilation.select(*verdicts), {"ids": [customer_id]})).one_or_none()
        return None if row is None else {at: bool(is_so) for (at, _), is_so in zip(nodes, row, strict=True)}


# Rules never change, and the same few are put again and again in a day: building the statement costs more than it.
@lru_cache(maxsize=256)
def _scoped(rules: tuple[Rule, ...], today: date) -> Select[tuple[Any, ...]]:
    compilation = Compilation(today, is_scoped=True)
    verdicts = [compilation.verdict(rule).label(f"v{place}") for place, rule in enumerate(rules)]
    return compilation.select(customers.c.id, *verdicts)
