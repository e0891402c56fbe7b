"""Campaigns: what happens when something befalls a customer. Draft, then running, paused and running again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from regulars_campaign.domain.refusals import ChannelNotConfigured, WrongState
from regulars_campaign.domain.segments import SegmentId

STEP = "first"
"""The one step of a triggered campaign: the message itself."""


class Trigger(StrEnum):
    CHURN_RISK_RAISED = "churn_risk_raised"
    SEGMENT_ENTERED = "segment_entered"


class State(StrEnum):
    """While paused, nothing is triggered and nothing is sent; what was due waits."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"


class Channel(StrEnum):
    EMAIL = "email"


class Purpose(StrEnum):
    MARKETING = "marketing"


@dataclass(frozen=True, slots=True)
class Campaign:
    """`segment_id` and `segment` (its code) are None unless the trigger is `segment_entered`.

    `template_version` is None in a draft: the newest version at the launch is what everybody gets.
    """

    id: UUID
    code: str
    name: str | None
    trigger: Trigger
    segment_id: SegmentId | None
    segment: str | None
    template_id: UUID
    template: str
    template_version: int | None
    channel: Channel
    purpose: Purpose
    state: State
    created_at: datetime
    launched_at: datetime | None = None


def launch(campaign: Campaign, newest_version: int, *, has_provider: bool, at: datetime) -> Campaign:
    """Begin. A campaign that runs is left as it is. Raises `WrongState`, `ChannelNotConfigured`."""
    if campaign.state is State.RUNNING:
        return campaign
    if campaign.state is not State.DRAFT:
        raise WrongState("the campaign was launched before; resume it")
    if not has_provider:
        raise ChannelNotConfigured(f"no provider is configured for {campaign.channel}", field="/channel")
    return replace(campaign, state=State.RUNNING, template_version=newest_version, launched_at=at)


def pause(campaign: Campaign) -> Campaign:
    """Stop for a while; paused again, it stays so. Raises `WrongState` for a draft."""
    if campaign.state is State.DRAFT:
        raise WrongState("a draft cannot be paused: it does not run")
    return replace(campaign, state=State.PAUSED)


def resume(campaign: Campaign) -> Campaign:
    """Go on; a campaign that runs is left as it is. Raises `WrongState` for a draft."""
    if campaign.state is State.DRAFT:
        raise WrongState("a draft cannot be resumed; launch it")
    return replace(campaign, state=State.RUNNING)
