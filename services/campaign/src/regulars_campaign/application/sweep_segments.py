from __future__ import annotations

from regulars_campaign.application.following import judge
from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.domain.segments import SegmentId

CUSTOMERS_A_COMMIT = 500


async def sweep_segments(begin: Transactions, now: Now) -> int:
    """Judge everybody again for the segments that a new day may have changed; how many memberships changed."""
    async with begin() as unit:
        due = await unit.segments.unswept(now().today)
    return sum([await sweep_segment(segment_id, begin, now) for segment_id in due])


async def sweep_segment(segment_id: SegmentId, begin: Transactions, now: Now) -> int:
    """Judge everybody for one segment, a new one too; how many came or went. It may be interrupted and run again.

    One look over everybody finds who is out of step; these are locked and judged once more, some hundred a commit.
    """
    moment = now()
    async with begin() as unit:
        segment = await unit.segments.load(segment_id)
        if segment is None:
            return 0
        changed = sorted(await unit.judge.out_of_step(segment, moment.today))
    for start in range(0, len(changed), CUSTOMERS_A_COMMIT):
        async with begin() as unit:
            customers = changed[start : start + CUSTOMERS_A_COMMIT]
            await unit.customers.take(customers)
            await judge(unit, [segment], customers, moment)
    async with begin() as unit:
        await unit.segments.mark_swept(segment_id, moment.today)
    return len(changed)
