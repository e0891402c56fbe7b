"""The ledger of messages."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from regulars_campaign.adapters.http.answers import MessageOut, MessagesOut
from regulars_campaign.adapters.http.context import Here
from regulars_campaign.adapters.http.paging import DEFAULT, Cursor, Limit, cut, last_shown
from regulars_campaign.application.list_messages import list_messages
from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.values import CustomerId

router = Router(tags=["messages"])

Reader = Annotated[Principal, Depends(requires("messages:read"))]


@router.get("/v1/messages")
async def get_messages(
    principal: Reader,
    here: Here,
    customer_id: Annotated[UUID | None, Query()] = None,
    campaign_id: Annotated[UUID | None, Query()] = None,
    limit: Limit = DEFAULT,
    cursor: Cursor = None,
) -> MessagesOut:
    """Messages in the order in which they became due, of one customer or one campaign or of all."""
    found = await list_messages(
        here.read,
        customer_id=None if customer_id is None else CustomerId(customer_id),
        campaign_id=campaign_id,
        after=last_shown(cursor),
        limit=limit + 1,
    )
    page, next_cursor = cut(found, limit, lambda message: message.id)
    return MessagesOut(items=[MessageOut.of(message) for message in page], next_cursor=next_cursor)
