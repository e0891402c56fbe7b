"""How membership follows what is known, and how a campaign hears of it: in the commit of whatever changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from regulars_campaign.application.ports import Unit
from regulars_campaign.domain.calendar import Moment
from regulars_campaign.domain.campaigns import STEP, Campaign, Trigger
from regulars_campaign.domain.facts import Fact, SegmentEntered, SegmentLeft
from regulars_campaign.domain.messages import Message, State
from regulars_campaign.domain.rules import Facet
from regulars_campaign.domain.segments import Segment, SegmentId
from regulars_kit.values import CustomerId, new_id


async def follow(unit: Unit, customers: Collection[CustomerId], facets: Collection[Facet], now: Moment) -> None:
    """Judge the customers again by every rule that looks at one of the facets. The customers are locked."""
    segments = await unit.segments.touched(facets)
    if segments:
        await judge(unit, segments, customers, now)


async def judge(unit: Unit, segments: Sequence[Segment], customers: Collection[CustomerId], now: Moment) -> None:
    """Make the membership of these customers what the rules say, announce who came and went, trigger campaigns."""
    facts: list[Fact] = []
    entered: dict[SegmentId, frozenset[CustomerId]] = {}
    for standing in await unit.judge.judge(segments, customers, now.today):
        segment = standing.segment
        came, went = standing.fulfilling - standing.members, standing.members - standing.fulfilling
        if came:
            entered[segment.id] = came
            await unit.segments.enter(segment.id, came, now.at)
        if went:
            await unit.segments.leave(segment.id, went)
        facts += [SegmentEntered(customer, now.at, segment.id, segment.code) for customer in sorted(came)]
        facts += [SegmentLeft(customer, now.at, segment.id, segment.code) for customer in sorted(went)]
    await unit.announce(facts)
    await _trigger_entered(unit, entered, now)


async def _trigger_entered(unit: Unit, entered: dict[SegmentId, frozenset[CustomerId]], now: Moment) -> None:
    if not entered:
        return
    campaigns = await unit.campaigns.triggered(Trigger.SEGMENT_ENTERED, entered)
    due = [
        due_message(campaign, customer, now)
        for campaign in campaigns
        if campaign.segment_id is not None
        for customer in sorted(entered[campaign.segment_id])
    ]
    if due:
        await unit.messages.add_due(due)


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
