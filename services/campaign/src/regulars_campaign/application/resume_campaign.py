from __future__ import annotations

from uuid import UUID

from regulars_campaign.application.changing import locked
from regulars_campaign.application.ports import Transactions
from regulars_campaign.domain.campaigns import resume


async def resume_campaign(campaign_id: UUID, begin: Transactions) -> None:
    """Go on where it was paused. Raises `UnknownCampaign`, `WrongState`."""
    async with begin() as unit:
        campaign = await locked(unit, campaign_id)
        await unit.campaigns.store(resume(campaign))
