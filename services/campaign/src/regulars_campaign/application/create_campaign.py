from __future__ import annotations

from dataclasses import dataclass

from regulars_campaign.application.ports import Call, Made, Now, Transactions, Unit
from regulars_campaign.domain.campaigns import Campaign, Channel, Purpose, State, Trigger
from regulars_campaign.domain.refusals import CodeTaken, UnknownSegment, UnknownTemplate
from regulars_campaign.domain.segments import Segment
from regulars_campaign.domain.templates import Template
from regulars_kit.values import new_id


@dataclass(frozen=True, slots=True)
class Draft:
    """What a marketer wants; segment and template by their codes."""

    code: str
    name: str | None
    trigger: Trigger
    segment: str | None
    template: str
    channel: Channel
    purpose: Purpose


async def create_campaign(draft: Draft, call: Call, begin: Transactions, now: Now) -> Made:
    """Make a draft. Raises `UnknownSegment` and `UnknownTemplate` with the field, `CodeTaken`."""
    async with begin() as unit:
        return await unit.once(call, lambda: _add(unit, draft, now))


async def _add(unit: Unit, draft: Draft, now: Now) -> Made:
    template = await _template(unit, draft.template)
    segment = None if draft.segment is None else await _segment(unit, draft.segment)
    campaign = Campaign(
        id=new_id(),
        code=draft.code,
        name=draft.name,
        trigger=draft.trigger,
        segment_id=None if segment is None else segment.id,
        segment=draft.segment,
        template_id=template.id,
        template=template.code,
        template_version=None,
        channel=draft.channel,
        purpose=draft.purpose,
        state=State.DRAFT,
        created_at=now().at,
    )
    if not await unit.campaigns.add(campaign):
        raise CodeTaken("another campaign has this code", field="/code")
    return Made(campaign.id)


async def _template(unit: Unit, code: str) -> Template:
    template = await unit.templates.newest_by_code(code)
    if template is None:
        raise UnknownTemplate("no template has this code", field="/template")
    return template


async def _segment(unit: Unit, code: str) -> Segment:
    segment = await unit.segments.by_code(code)
    if segment is None:
        raise UnknownSegment("no segment has this code", field="/trigger/segment")
    return segment
