from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.application.read_segments import loaded
from regulars_campaign.domain.refusals import UnknownCustomer
from regulars_campaign.domain.segments import Segment, SegmentId
from regulars_kit.values import CustomerId


@dataclass(frozen=True, slots=True)
class Explanation:
    """`verdicts` are of this moment, by the node's pointer ("" is the whole rule); `is_member` is what was stored."""

    segment: Segment
    is_member: bool
    verdicts: Mapping[str, bool]


async def explain_membership(
    segment_id: SegmentId, customer_id: CustomerId, begin: Transactions, now: Now
) -> Explanation:
    """Why the customer is in the segment, or is not. Raises `UnknownSegment`, `UnknownCustomer`."""
    async with begin() as unit:
        segment = await loaded(unit, segment_id)
        verdicts = await unit.judge.explain(segment.rule, customer_id, now().today)
        if verdicts is None:
            raise UnknownCustomer("nothing was ever heard of this customer")
        is_member = await unit.segments.is_member(segment_id, customer_id)
    return Explanation(segment, is_member, verdicts)
