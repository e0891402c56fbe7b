"""Campaigns, and what became of their messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from regulars_campaign.application.ports import Transactions
from regulars_campaign.domain.campaigns import Campaign
from regulars_campaign.domain.messages import State
from regulars_campaign.domain.refusals import UnknownCampaign

Counts = Mapping[tuple[str, str | None], int]


@dataclass(frozen=True, slots=True)
class Told:
    """A campaign and its messages: `waiting` are due or on their way, `skipped` counts by reason."""

    campaign: Campaign
    waiting: int
    sent: int
    skipped: Mapping[str, int]


async def read_campaign(campaign_id: UUID, begin: Transactions) -> Told:
    """Raises `UnknownCampaign`."""
    async with begin() as unit:
        campaign = await unit.campaigns.load(campaign_id)
        if campaign is None:
            raise UnknownCampaign("no campaign has this id")
        counts = await unit.messages.counts([campaign_id])
    return _told(campaign, counts.get(campaign_id, {}))


async def list_campaigns(begin: Transactions, *, after: UUID | None, limit: int) -> Sequence[Told]:
    """The next campaigns, in the order in which they were made."""
    async with begin() as unit:
        campaigns = await unit.campaigns.page(after=after, limit=limit)
        counts = await unit.messages.counts([campaign.id for campaign in campaigns])
    return [_told(campaign, counts.get(campaign.id, {})) for campaign in campaigns]


def _told(campaign: Campaign, counts: Counts) -> Told:
    skipped = {reason: count for (state, reason), count in counts.items() if state == State.SKIPPED and reason}
    waiting = sum(count for (state, _), count in counts.items() if state in (State.DUE, State.CLAIMED))
    return Told(campaign, waiting, counts.get((State.SENT, None), 0), skipped)
