"""How a campaign is changed: one at a time."""

from __future__ import annotations

from uuid import UUID

from regulars_campaign.application.ports import Unit
from regulars_campaign.domain.campaigns import Campaign
from regulars_campaign.domain.refusals import UnknownCampaign


async def locked(unit: Unit, campaign_id: UUID) -> Campaign:
    """The campaign, which nobody else changes before this transaction ends. Raises `UnknownCampaign`."""
    campaign = await unit.campaigns.load(campaign_id, for_update=True)
    if campaign is None:
        raise UnknownCampaign("no campaign has this id")
    return campaign
