"""What clients get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel

from regulars_campaign.application.explain_membership import Explanation
from regulars_campaign.application.preview_segment import Preview
from regulars_campaign.application.read_campaigns import Told
from regulars_campaign.application.read_segments import Sized
from regulars_campaign.domain.messages import Message
from regulars_campaign.domain.templates import Template, Text
from regulars_kit.values import CustomerId


class SegmentOut(BaseModel):
    """`building`: members are still being found. `judged_on`: the day for which everybody was judged last."""

    id: UUID
    code: str
    name: str | None
    rule: dict[str, Any]
    status: Literal["building", "ready"]
    members: int
    judged_on: date | None
    created_at: datetime

    @classmethod
    def of(cls, sized: Sized) -> Self:
        segment, members = sized
        return cls(
            id=segment.id,
            code=segment.code,
            name=segment.name,
            rule=dict(segment.document),
            status="ready" if segment.is_ready else "building",
            members=members,
            judged_on=segment.swept_on,
            created_at=segment.created_at,
        )


class SegmentsOut(BaseModel):
    items: list[SegmentOut]
    next_cursor: str | None = None


class PreviewOut(BaseModel):
    """`sample`: the ids of some, in their order."""

    count: int
    sample: list[UUID]

    @classmethod
    def of(cls, preview: Preview) -> Self:
        return cls(count=preview.count, sample=list(preview.sample))


class MemberOut(BaseModel):
    customer_id: UUID
    entered_at: datetime


class MembersOut(BaseModel):
    items: list[MemberOut]
    next_cursor: str | None = None

    @classmethod
    def of(cls, members: Sequence[tuple[CustomerId, datetime]], next_cursor: str | None) -> Self:
        items = [MemberOut(customer_id=customer_id, entered_at=entered_at) for customer_id, entered_at in members]
        return cls(items=items, next_cursor=next_cursor)


class NodeOut(BaseModel):
    """`pointer` leads to the node in the segment's `rule`."""

    pointer: str
    rule: dict[str, Any]
    verdict: bool


class WhyOut(BaseModel):
    """`member`: as it is stored; `verdict`: of this moment. They differ while a new day is being judged."""

    segment: str
    customer_id: UUID
    member: bool
    verdict: bool
    nodes: list[NodeOut]

    @classmethod
    def of(cls, why: Explanation, customer_id: UUID) -> Self:
        nodes = [
            NodeOut(pointer=at, rule=dict(_node(why.segment.document, at)), verdict=verdict)
            for at, verdict in why.verdicts.items()
        ]
        return cls(
            segment=why.segment.code,
            customer_id=customer_id,
            member=why.is_member,
            verdict=why.verdicts[""],
            nodes=nodes,
        )


def _node(document: Mapping[str, Any], at: str) -> Mapping[str, Any]:
    """The part of a rule's document that a pointer of ours (`/all/0/none/1`) leads to."""
    node: Any = document
    for step in at.split("/")[1:]:
        node = node[int(step)] if isinstance(node, list) else node[step]
    found: Mapping[str, Any] = node
    return found


class TemplateOut(BaseModel):
    id: UUID
    code: str
    version: int
    subject: str
    body: str
    created_at: datetime

    @classmethod
    def of(cls, template: Template) -> Self:
        return cls(
            id=template.id,
            code=template.code,
            version=template.version,
            subject=template.subject,
            body=template.body,
            created_at=template.created_at,
        )


class TemplatesOut(BaseModel):
    items: list[TemplateOut]
    next_cursor: str | None = None


class TemplatePreviewOut(BaseModel):
    version: int
    subject: str
    body: str

    @classmethod
    def of(cls, template: Template, text: Text) -> Self:
        return cls(version=template.version, subject=text.subject, body=text.body)


class TriggerOut(BaseModel):
    kind: str
    segment: str | None = None


class MessageCountsOut(BaseModel):
    """`waiting`: due, or on their way; `skipped`: how many for each reason."""

    waiting: int
    sent: int
    skipped: dict[str, int]


class CampaignOut(BaseModel):
    """`template_version` null: the newest at the launch."""

    id: UUID
    code: str
    name: str | None
    trigger: TriggerOut
    template: str
    template_id: UUID
    template_version: int | None
    channel: str
    purpose: str
    state: str
    created_at: datetime
    launched_at: datetime | None
    messages: MessageCountsOut

    @classmethod
    def of(cls, told: Told) -> Self:
        campaign = told.campaign
        return cls(
            id=campaign.id,
            code=campaign.code,
            name=campaign.name,
            trigger=TriggerOut(kind=campaign.trigger, segment=campaign.segment),
            template=campaign.template,
            template_id=campaign.template_id,
            template_version=campaign.template_version,
            channel=campaign.channel,
            purpose=campaign.purpose,
            state=campaign.state,
            created_at=campaign.created_at,
            launched_at=campaign.launched_at,
            messages=MessageCountsOut(waiting=told.waiting, sent=told.sent, skipped=dict(told.skipped)),
        )


class CampaignsOut(BaseModel):
    items: list[CampaignOut]
    next_cursor: str | None = None


class MessageOut(BaseModel):
    """`content_hash`: SHA-256 of what was sent, in the place of the text."""

    id: UUID
    campaign_id: UUID
    step: str
    customer_id: UUID
    channel: str
    state: str
    reason: str | None
    due_at: datetime
    ended_at: datetime | None
    template_id: UUID
    template_version: int | None
    content_hash: str | None

    @classmethod
    def of(cls, message: Message) -> Self:
        return cls.model_validate(message, from_attributes=True)


class MessagesOut(BaseModel):
    items: list[MessageOut]
    next_cursor: str | None = None
