from __future__ import annotations

from collections.abc import Mapping

from regulars_campaign.application.ports import Call, Made, Now, Transactions, Unit
from regulars_campaign.domain.refusals import CodeTaken, TooManySegments
from regulars_campaign.domain.rule_document import parse
from regulars_campaign.domain.segments import MOST_SEGMENTS, Segment, SegmentId
from regulars_kit.values import new_id


async def create_segment(
    code: str, name: str | None, document: Mapping[str, object], call: Call, begin: Transactions, now: Now
) -> Made:
    """Make a segment; who is in it is found by a job, and follows the events from this commit on.

    Raises `InvalidRule` with the node's pointer below `/rule`, `CodeTaken`, `TooManySegments`.
    """
    rule = parse(document, "/rule")
    segment = Segment(SegmentId(new_id()), code, name, document, rule, now().at)
    async with begin() as unit:
        return await unit.once(call, lambda: _add(unit, segment, call.client))


async def _add(unit: Unit, segment: Segment, client: str) -> Made:
    # An event that is being handled would not see the new segment, and the job might not see the event.
    await unit.segments.block_events()
    if await unit.segments.count() >= MOST_SEGMENTS:
        raise TooManySegments(f"there are {MOST_SEGMENTS} segments already")
    if not await unit.segments.add(segment):
        raise CodeTaken("another segment has this code", field="/code")
    await unit.ask_for_build(segment.id, client)
    return Made(segment.id)
