from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from regulars_campaign.application.changing import locked
from regulars_campaign.application.ports import Now, Renderer, Transactions
from regulars_campaign.domain.campaigns import Channel, launch
from regulars_campaign.domain.refusals import UnknownTemplate
from regulars_campaign.domain.templates import Text


async def launch_campaign(
    campaign_id: UUID, channels: Collection[Channel], renderer: Renderer, begin: Transactions, now: Now
) -> None:
    """From now on it hears its trigger. `channels` are those that have a provider. Launched again, nothing changes.

    Raises `UnknownCampaign`, `WrongState`, `ChannelNotConfigured`, and `InvalidTemplate` when its text cannot be sent.
    """
    async with begin() as unit:
        campaign = await locked(unit, campaign_id)
        template = await unit.templates.newest(campaign.template_id)
        if template is None:
            raise UnknownTemplate("the campaign's template is gone", field="/template")
        renderer.check(Text(template.subject, template.body))
        has_provider = campaign.channel in channels
        await unit.campaigns.store(launch(campaign, template.version, has_provider=has_provider, at=now().at))
