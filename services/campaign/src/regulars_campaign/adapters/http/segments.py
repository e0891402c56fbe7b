"""Segments: make, preview, read, list, their members, and why somebody is one."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from regulars_campaign.adapters.http.answers import MembersOut, PreviewOut, SegmentOut, SegmentsOut, WhyOut
from regulars_campaign.adapters.http.calls import ContentHash, Key, call_of, tell
from regulars_campaign.adapters.http.context import Here
from regulars_campaign.adapters.http.paging import DEFAULT, Cursor, Limit, cut, last_shown
from regulars_campaign.adapters.http.requests import PreviewIn, SegmentIn
from regulars_campaign.application.create_segment import create_segment
from regulars_campaign.application.explain_membership import explain_membership
from regulars_campaign.application.preview_segment import preview_segment
from regulars_campaign.application.read_segments import list_members, list_segments, read_segment
from regulars_campaign.domain.segments import SegmentId
from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.values import CustomerId

router = Router(tags=["segments"])

Reader = Annotated[Principal, Depends(requires("segments:read"))]
Writer = Annotated[Principal, Depends(requires("segments:write"))]


@router.post("/v1/segments", status_code=201)
async def post_segment(
    principal: Writer, key: Key, body: SegmentIn, content: ContentHash, response: Response, here: Here
) -> SegmentOut:
    """Make a segment. Who fulfils its rule is found in the background; from now on it follows the events."""
    made = await create_segment(body.code, body.name, body.rule, call_of(principal, key, content), here.begin, here.now)
    tell(made, "/v1/segments", response)
    return SegmentOut.of(await read_segment(SegmentId(made.id), here.read))


@router.post("/v1/segments:preview")
async def post_preview(body: PreviewIn, principal: Reader, here: Here) -> PreviewOut:
    """How many customers fulfil a rule at this moment, and some of them. Nothing is stored."""
    return PreviewOut.of(await preview_segment(body.rule, here.read, here.now))


@router.get("/v1/segments")
async def get_segments(principal: Reader, here: Here, limit: Limit = DEFAULT, cursor: Cursor = None) -> SegmentsOut:
    """Segments in the order in which they were made."""
    after = last_shown(cursor)
    found = await list_segments(here.read, after=None if after is None else SegmentId(after), limit=limit + 1)
    page, next_cursor = cut(found, limit, lambda sized: sized[0].id)
    return SegmentsOut(items=[SegmentOut.of(sized) for sized in page], next_cursor=next_cursor)


@router.get("/v1/segments/{segment_id}")
async def get_segment(segment_id: UUID, principal: Reader, here: Here) -> SegmentOut:
    """A segment, and how many members it has."""
    return SegmentOut.of(await read_segment(SegmentId(segment_id), here.read))


@router.get("/v1/segments/{segment_id}/members")
async def get_members(
    segment_id: UUID, principal: Reader, here: Here, limit: Limit = DEFAULT, cursor: Cursor = None
) -> MembersOut:
    """Members by their ids, and since when each is one."""
    last = last_shown(cursor)
    after = None if last is None else CustomerId(last)
    found = await list_members(SegmentId(segment_id), here.read, after=after, limit=limit + 1)
    page, next_cursor = cut(found, limit, lambda member: member[0])
    return MembersOut.of(page, next_cursor)


@router.get("/v1/segments/{segment_id}/why")
async def get_why(segment_id: UUID, customer_id: Annotated[UUID, Query()], principal: Reader, here: Here) -> WhyOut:
    """The verdict of each node of the rule on one customer, at this moment."""
    why = await explain_membership(SegmentId(segment_id), CustomerId(customer_id), here.read, here.now)
    return WhyOut.of(why, customer_id)
