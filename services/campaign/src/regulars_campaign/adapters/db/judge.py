"""Rules put to the projection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_campaign.adapters.db.compiler import Compilation
from regulars_campaign.adapters.db.tables import customers, members
from regulars_campaign.application.ports import Verdict
from regulars_campaign.domain.rules import Rule, walk
from regulars_campaign.domain.segments import Segment, SegmentId
from regulars_kit.values import CustomerId

RULES_A_STATEMENT = 10
"""Rules of one statement share their joins; more of them would make its plan take longer than its work."""


class SqlJudge:
    """Judges within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def judge(
        self, segments: Sequence[Segment], customers: Collection[CustomerId], today: date
    ) -> Sequence[Verdict]:
        found: list[Verdict] = []
        for start in range(0, len(segments), RULES_A_STATEMENT):
            some = segments[start : start + RULES_A_STATEMENT]
            statement = _scoped(tuple((segment.id, segment.rule) for segment in some), today)
            rows = (await self._connection.execute(statement, {"ids": list(customers)})).all()
            for place, segment in enumerate(some):
                verdict, member = 1 + 2 * place, 2 + 2 * place
                came = sorted(row[0] for row in rows if row[verdict] and not row[member])
                went = sorted(row[0] for row in rows if row[member] and not row[verdict])
                found.append(Verdict(segment, came, went))
        return found

    async def out_of_step(self, segment: Segment, today: date) -> Sequence[CustomerId]:
        compilation = Compilation(today, is_scoped=False)
        fulfils = compilation.verdict(segment.rule)
        is_member = and_(members.c.customer_id == customers.c.id, members.c.segment_id == literal(segment.id))
        compilation.source = compilation.source.outerjoin(members, is_member)
        statement = compilation.select(customers.c.id).where(fulfils != members.c.customer_id.is_not(None))
        return [CustomerId(found) for found in await self._connection.scalars(statement)]

    async def preview(self, rule: Rule, today: date, limit: int) -> tuple[int, Sequence[CustomerId]]:
        compilation = Compilation(today, is_scoped=False)
        fulfils = compilation.verdict(rule)
        # The count stands beside each row of the sample: one look over everybody gives both.
        found = compilation.select(customers.c.id, func.count().over()).where(fulfils)
        rows = (await self._connection.execute(found.order_by(customers.c.id).limit(limit))).all()
        return (int(rows[0][1]) if rows else 0), [CustomerId(row[0]) for row in rows]

    async def explain(self, rule: Rule, customer_id: CustomerId, today: date) -> Mapping[str, bool] | None:
        compilation = Compilation(today, is_scoped=True)
        nodes = list(walk(rule))
        verdicts = [compilation.verdict(node).label(f"n{place}") for place, (_, node) in enumerate(nodes)]
        row = (await self._connection.execute(compilation.select(*verdicts), {"ids": [customer_id]})).one_or_none()
        return None if row is None else {at: bool(is_so) for (at, _), is_so in zip(nodes, row, strict=True)}


# Rules never change, and the same few are put again and again in a day: building the statement costs more than it.
@lru_cache(maxsize=256)
def _scoped(rules: tuple[tuple[SegmentId, Rule], ...], today: date) -> Select[tuple[Any, ...]]:
    """The id, and for each rule its verdict and whether the customer is a member."""
    compilation = Compilation(today, is_scoped=True)
    columns: list[ColumnElement[bool]] = []
    for place, (segment_id, rule) in enumerate(rules):
        found = select(members.c.customer_id).where(members.c.segment_id == literal(segment_id))
        member = compilation.join(segment_id, found).c.customer_id
        columns += [compilation.verdict(rule).label(f"v{place}"), member.is_not(None).label(f"m{place}")]
    return compilation.select(customers.c.id, *columns)
