"""Deliveries: what became of each event on its way to each endpoint."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from regulars_gateway.adapters.http.answers import DeliveriesOut, DeliveryOut
from regulars_gateway.adapters.http.context import Here
from regulars_gateway.adapters.http.cursors import read_id, write_id
from regulars_gateway.application.list_deliveries import list_deliveries
from regulars_gateway.application.resend_delivery import resend_delivery
from regulars_gateway.domain.attempts import State
from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.limits import LIMITS
from regulars_kit.models import PageLimit, Text

router = Router(tags=["webhooks"])

Reader = Annotated[Principal, Depends(requires("webhooks:read"))]
Writer = Annotated[Principal, Depends(requires("webhooks:write"))]


@router.get("/v1/webhooks/deliveries")
async def get_deliveries(
    principal: Reader,
    here: Here,
    endpoint_id: UUID | None = None,
    state: State | None = None,
    limit: Annotated[PageLimit, Query()] = LIMITS.page_default,
    cursor: Annotated[Text | None, Query()] = None,
) -> DeliveriesOut:
    """The newest deliveries first, with every attempt; kept for 30 days."""
    found, last = await list_deliveries(
        here.begin, endpoint_id=endpoint_id, state=state, before=read_id(cursor), limit=limit
    )
    return DeliveriesOut(items=[DeliveryOut.of(delivery) for delivery in found], next_cursor=write_id(last))


@router.post("/v1/webhooks/deliveries/{delivery_id}/resend", status_code=202)
async def post_resend(delivery_id: UUID, principal: Writer, here: Here) -> DeliveryOut:
    """Deliver it again, whatever came of it before: due at once, with the same webhook-id, its schedule begun anew."""
    return DeliveryOut.of(await resend_delivery(delivery_id, here.begin, here.now))
