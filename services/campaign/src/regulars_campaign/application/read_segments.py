"""Segments with the number of their members, and the members themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from regulars_campaign.application.ports import Transactions, Unit
from regulars_campaign.domain.refusals import UnknownSegment
from regulars_campaign.domain.segments import Segment, SegmentId
from regulars_kit.values import CustomerId

Sized = tuple[Segment, int]
"""A segment, and how many members it has."""


async def read_segment(segment_id: SegmentId, begin: Transactions) -> Sized:
    """Raises `UnknownSegment`."""
    async with begin() as unit:
        segment = await loaded(unit, segment_id)
        sizes = await unit.segments.sizes([segment_id])
    return segment, sizes.get(segment_id, 0)


async def list_segments(begin: Transactions, *, after: SegmentId | None, limit: int) -> Sequence[Sized]:
    """The next ones, in the order in which they were made."""
    async with begin() as unit:
        segments = await unit.segments.page(after=after, limit=limit)
        sizes = await unit.segments.sizes([segment.id for segment in segments])
    return [(segment, sizes.get(segment.id, 0)) for segment in segments]


async def list_members(
    segment_id: SegmentId, begin: Transactions, *, after: CustomerId | None, limit: int
) -> Sequence[tuple[CustomerId, datetime]]:
    """The next members by id, and since when each is one. Raises `UnknownSegment`."""
    async with begin() as unit:
        await loaded(unit, segment_id)
        return await unit.segments.members(segment_id, after=after, limit=limit)


async def loaded(unit: Unit, segment_id: SegmentId) -> Segment:
    """Raises `UnknownSegment`."""
    segment = await unit.segments.load(segment_id)
    if segment is None:
        raise UnknownSegment("no segment has this id")
    return segment
