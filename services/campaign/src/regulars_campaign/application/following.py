"""How membership becomes what the rules say, and how a campaign hears of it, in one commit."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from regulars_campaign.application.ports import Unit, Verdict
from regulars_campaign.domain.calendar import Moment
from regulars_campaign.domain.campaigns import STEP, Campaign, Trigger
from regulars_campaign.domain.facts import Fact, SegmentEntered, SegmentLeft
from regulars_campaign.domain.messages import Message, State
from regulars_campaign.domain.segments import Segment
from regulars_kit.values import CustomerId, new_id


async def judge(unit: Unit, segments: Sequence[Segment], customers: Collection[CustomerId], now: Moment) -> None:
    """Make the membership of these customers what the rules say, announce who came and went, trigger campaigns.

    The customers are locked.
    """
    verdicts = await unit.judge.judge(segments, customers, now.today)
    await unit.segments.enter([(each.segment.id, customer) for each in verdicts for customer in each.came], now.at)
    await unit.segments.leave([(each.segment.id, customer) for each in verdicts for customer in each.went])
    await unit.announce([fact for verdict in verdicts for fact in _facts(verdict, now)])
    await _trigger_entered(unit, verdicts, now)


def _facts(verdict: Verdict, now: Moment) -> Sequence[Fact]:
    segment = verdict.segment
    entered = [SegmentEntered(customer, now.at, segment.id, segment.code) for customer in verdict.came]
    return [*entered, *(SegmentLeft(customer, now.at, segment.id, segment.code) for customer in verdict.went)]


async def _trigger_entered(unit: Unit, verdicts: Sequence[Verdict], now: Moment) -> None:
    entered = {verdict.segment.id: verdict.came for verdict in verdicts if verdict.came}
    if not entered:
        return
    campaigns = await unit.campaigns.triggered(Trigger.SEGMENT_ENTERED, entered)
    await unit.messages.add_due(
        [
            due_message(campaign, customer, now)
            for campaign in campaigns
            if campaign.segment_id is not None
            for customer in entered[campaign.segment_id]
        ]
    )


def due_message(campaign: Campaign, customer: CustomerId, now: Moment) -> Message:
    """The message that a campaign owes a customer from now on."""
    return Message(
        id=new_id(),
        campaign_id=campaign.id,
        step=STEP,
        customer_id=customer,
        channel=campaign.channel,
        state=State.DUE,
        reason=None,
        due_at=now.at,
        ended_at=None,
        template_id=campaign.template_id,
        template_version=campaign.template_version,
        content_hash=None,
    )
