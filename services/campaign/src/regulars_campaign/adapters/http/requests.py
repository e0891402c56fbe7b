"""What clients send."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from regulars_campaign.application.create_campaign import Draft
from regulars_campaign.domain.campaigns import Channel, Purpose, Trigger
from regulars_campaign.domain.templates import LONGEST_BODY, LONGEST_SUBJECT
from regulars_campaign.domain.templates import Text as MessageText
from regulars_kit.models import NO_CONTROLS, StrictModel, Text

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""A name for machines: small letters, digits, `_` and `-`, up to 64."""

_EXAMPLE = {
    "all": [
        {"consent": "marketing/email"},
        {"score": "churn_90", "gte": 0.6},
        {"purchases": {"sum": "net_minor", "currency": "EUR", "last": "P90D"}, "gte": 10000},
        {"none": [{"tier": {"in": ["gold"]}}]},
    ]
}
RuleDocument = Annotated[
    dict[str, Any],
    Field(description="A tree of `all`, `any`, `none` over leaves that ask one thing each.", examples=[_EXAMPLE]),
]

Subject = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_SUBJECT, pattern=NO_CONTROLS)]
Body = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_BODY, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"),
]


class SegmentIn(StrictModel):
    code: Code
    name: Text | None = None
    rule: RuleDocument


class PreviewIn(StrictModel):
    rule: RuleDocument


class TemplateIn(StrictModel):
    """Liquid in both."""

    code: Code
    subject: Subject
    body: Body

    def to_text(self) -> MessageText:
        return MessageText(self.subject, self.body)


class SampleCustomerIn(StrictModel):
    """A customer made up for a preview; what is left out is an example, and null is what nobody knows."""

    name: Text | None = None
    language: Text | None = None
    country: Text | None = None
    city: Text | None = None
    tier: Text | None = None
    balance: Annotated[int, Field(ge=-(10**12), le=10**12)] | None = None


class TemplatePreviewIn(StrictModel):
    customer: SampleCustomerIn = SampleCustomerIn()

    def to_values(self) -> dict[str, str | int | None]:
        said = self.customer.model_dump(exclude_unset=True)
        return {f"customer.{name}": value for name, value in said.items()}


class ChurnTriggerIn(StrictModel):
    kind: Literal["churn_risk_raised"]


class SegmentTriggerIn(StrictModel):
    """`segment` is the segment's code."""

    kind: Literal["segment_entered"]
    segment: Code


class CampaignIn(StrictModel):
    """`template` is the template's code."""

    code: Code
    name: Text | None = None
    trigger: Annotated[ChurnTriggerIn | SegmentTriggerIn, Field(discriminator="kind")]
    template: Code
    channel: Channel = Channel.EMAIL
    purpose: Purpose = Purpose.MARKETING

    def to_draft(self) -> Draft:
        segment = self.trigger.segment if isinstance(self.trigger, SegmentTriggerIn) else None
        trigger = Trigger(self.trigger.kind)
        return Draft(self.code, self.name, trigger, segment, self.template, self.channel, self.purpose)
