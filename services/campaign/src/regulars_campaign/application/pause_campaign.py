from __future__ import annotations

from uuid import UUID

from regulars_campaign.application.changing import locked
from regulars_campaign.application.ports import Transactions
from regulars_campaign.domain.campaigns import pause


async def pause_campaign(campaign_id: UUID, begin: Transactions) -> None:
    """Stop for a while: nothing is triggered or sent, what is due waits. Raises `UnknownCampaign`, `WrongState`."""
    async with begin() as unit:
        campaign = await locked(unit, campaign_id)
        await unit.campaigns.store(pause(campaign))
