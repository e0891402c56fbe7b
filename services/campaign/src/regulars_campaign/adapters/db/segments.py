"""Segments and their members."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, Select, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_campaign.adapters.db.projection import EVENTS_LOCK
from regulars_campaign.adapters.db.session import Session
from regulars_campaign.adapters.db.tables import members, segments
from regulars_campaign.application.ports import Membership
from regulars_campaign.domain.rule_document import parse
from regulars_campaign.domain.rules import Facet, facets_of, is_timed
from regulars_campaign.domain.segments import Segment, SegmentId
from regulars_kit.values import CustomerId

_ALL = "SELECT id, facets && $1::text[] AS is_touched FROM segments ORDER BY id"
_ENTER = """
    INSERT INTO members (segment_id, customer_id, entered_at)
    SELECT segment_id, customer_id, $3 FROM unnest($1::uuid[], $2::uuid[]) AS come (segment_id, customer_id)
    ON CONFLICT DO NOTHING
"""
_LEAVE = """
    DELETE FROM members USING unnest($1::uuid[], $2::uuid[]) AS gone (segment_id, customer_id)
    WHERE members.segment_id = gone.segment_id AND members.customer_id = gone.customer_id
"""


# Code and rule of a segment never change, and a rule is read once: at each event it would cost more than its verdict.
_KNOWN: dict[SegmentId, Segment] = {}


class SqlSegments:
    def __init__(self, connection: AsyncConnection, session: Session) -> None:
        self._connection = connection
        self._session = session

    async def block_events(self) -> None:
        await self._connection.execute(text(f"SELECT pg_advisory_xact_lock({EVENTS_LOCK})"))

    async def add(self, segment: Segment) -> bool:
        row = {
            "id": segment.id,
            "code": segment.code,
            "name": segment.name,
            "rule": dict(segment.document),
            "facets": sorted(facets_of(segment.rule)),
            "is_timed": is_timed(segment.rule),
            "created_at": segment.created_at,
        }
        added = await self._connection.execute(insert(segments).values(row).on_conflict_do_nothing())
        return added.rowcount == 1

    async def count(self) -> int:
        return int(await self._connection.scalar(select(func.count()).select_from(segments)) or 0)

    async def load(self, segment_id: SegmentId) -> Segment | None:
        return await self._one(select(segments).where(segments.c.id == segment_id))

    async def by_code(self, code: str) -> Segment | None:
        return await self._one(select(segments).where(segments.c.code == code))

    async def page(self, *, after: SegmentId | None, limit: int) -> Sequence[Segment]:
        query = select(segments).order_by(segments.c.id).limit(limit)
        return await self._all(query if after is None else query.where(segments.c.id > after))

    async def told_apart(self, facets: Collection[Facet]) -> tuple[Sequence[Segment], Sequence[Segment]]:
        rows = await self._session.fetch(_ALL, sorted(facets))
        missing = [row["id"] for row in rows if row["id"] not in _KNOWN]
        if missing:
            found = await self._all(select(segments).where(segments.c.id.in_(missing)))
            _KNOWN.update({segment.id: segment for segment in found})
        touched = [_KNOWN[row["id"]] for row in rows if row["is_touched"]]
        return touched, [_KNOWN[row["id"]] for row in rows if not row["is_touched"]]

    async def unswept(self, today: date) -> Sequence[SegmentId]:
        due = segments.c.swept_on.is_(None) | (segments.c.is_timed & (segments.c.swept_on < today))
        return (await self._connection.scalars(select(segments.c.id).where(due).order_by(segments.c.id))).all()

    async def mark_swept(self, segment_id: SegmentId, day: date) -> None:
        await self._connection.execute(segments.update().where(segments.c.id == segment_id).values(swept_on=day))

    async def sizes(self, ids: Collection[SegmentId]) -> Mapping[SegmentId, int]:
        counted = select(members.c.segment_id, func.count().label("size")).where(members.c.segment_id.in_(ids))
        rows = await self._connection.execute(counted.group_by(members.c.segment_id))
        return {row.segment_id: row.size for row in rows}

    async def members(
        self, segment_id: SegmentId, *, after: CustomerId | None, limit: int
    ) -> Sequence[tuple[CustomerId, datetime]]:
        query = select(members.c.customer_id, members.c.entered_at).where(members.c.segment_id == segment_id)
        if after is not None:
            query = query.where(members.c.customer_id > after)
        rows = await self._connection.execute(query.order_by(members.c.customer_id).limit(limit))
        return [(CustomerId(customer_id), entered_at) for customer_id, entered_at in rows]

    async def is_member(self, segment_id: SegmentId, customer_id: CustomerId) -> bool:
        member = select(members.c.customer_id).where(members.c.segment_id == segment_id)
        return await self._connection.scalar(member.where(members.c.customer_id == customer_id)) is not None

    async def enter(self, memberships: Sequence[Membership], at: datetime) -> None:
        if memberships:
            await self._session.execute(_ENTER, *_columns(memberships), at)

    async def leave(self, memberships: Sequence[Membership]) -> None:
        if memberships:
            await self._session.execute(_LEAVE, *_columns(memberships))

    async def _one(self, query: Select[tuple[Any, ...]]) -> Segment | None:
        found = await self._all(query)
        return found[0] if found else None

    async def _all(self, query: Select[tuple[Any, ...]]) -> Sequence[Segment]:
        return [_segment(row) for row in (await self._connection.execute(query)).mappings()]


def _columns(memberships: Sequence[Membership]) -> tuple[list[SegmentId], list[CustomerId]]:
    return [segment_id for segment_id, _ in memberships], [customer_id for _, customer_id in memberships]


def _segment(row: RowMapping) -> Segment:
    return Segment(
        id=row["id"],
        code=row["code"],
        name=row["name"],
        document=row["rule"],
        rule=parse(row["rule"]),
        created_at=row["created_at"],
        swept_on=row["swept_on"],
    )
