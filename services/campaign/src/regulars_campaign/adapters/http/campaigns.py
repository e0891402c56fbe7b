"""Campaigns: draft, launch, pause, resume, read."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from regulars_campaign.adapters.http.answers import CampaignOut, CampaignsOut
from regulars_campaign.adapters.http.calls import ContentHash, Key, call_of, tell
from regulars_campaign.adapters.http.context import Here
from regulars_campaign.adapters.http.paging import DEFAULT, Cursor, Limit, cut, last_shown
from regulars_campaign.adapters.http.requests import CampaignIn
from regulars_campaign.application.create_campaign import create_campaign
from regulars_campaign.application.launch_campaign import launch_campaign
from regulars_campaign.application.pause_campaign import pause_campaign
from regulars_campaign.application.read_campaigns import list_campaigns, read_campaign
from regulars_campaign.application.resume_campaign import resume_campaign
from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router

router = Router(tags=["campaigns"])

Reader = Annotated[Principal, Depends(requires("campaigns:read"))]
Writer = Annotated[Principal, Depends(requires("campaigns:write"))]


@router.post("/v1/campaigns", status_code=201)
async def post_campaign(
    principal: Writer, key: Key, body: CampaignIn, content: ContentHash, response: Response, here: Here
) -> CampaignOut:
    """Make a draft: nothing happens before its launch."""
    made = await create_campaign(body.to_draft(), call_of(principal, key, content), here.begin, here.now)
    tell(made, "/v1/campaigns", response)
    return CampaignOut.of(await read_campaign(made.id, here.read))


@router.get("/v1/campaigns")
async def get_campaigns(principal: Reader, here: Here, limit: Limit = DEFAULT, cursor: Cursor = None) -> CampaignsOut:
    """Campaigns in the order in which they were made."""
    found = await list_campaigns(here.read, after=last_shown(cursor), limit=limit + 1)
    page, next_cursor = cut(found, limit, lambda told: told.campaign.id)
    return CampaignsOut(items=[CampaignOut.of(told) for told in page], next_cursor=next_cursor)


@router.get("/v1/campaigns/{campaign_id}")
async def get_campaign(campaign_id: UUID, principal: Reader, here: Here) -> CampaignOut:
    """A campaign, and what became of its messages."""
    return CampaignOut.of(await read_campaign(campaign_id, here.read))


@router.post("/v1/campaigns/{campaign_id}/launch")
async def post_launch(campaign_id: UUID, principal: Writer, here: Here) -> CampaignOut:
    """Begin: from now on it hears its trigger. Launched before and running, it stays as it is."""
    await launch_campaign(campaign_id, here.channels, here.renderer, here.begin, here.now)
    return CampaignOut.of(await read_campaign(campaign_id, here.read))


@router.post("/v1/campaigns/{campaign_id}/pause")
async def post_pause(campaign_id: UUID, principal: Writer, here: Here) -> CampaignOut:
    """Stop for a while: nothing is triggered and nothing is sent; what is due waits."""
    await pause_campaign(campaign_id, here.begin)
    return CampaignOut.of(await read_campaign(campaign_id, here.read))


@router.post("/v1/campaigns/{campaign_id}/resume")
async def post_resume(campaign_id: UUID, principal: Writer, here: Here) -> CampaignOut:
    """Go on where it was paused."""
    await resume_campaign(campaign_id, here.begin)
    return CampaignOut.of(await read_campaign(campaign_id, here.read))
