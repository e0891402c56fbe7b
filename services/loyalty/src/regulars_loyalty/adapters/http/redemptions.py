"""Points spent outside a purchase, and given back."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response
from pydantic import Field, Strict

from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.idempotency import IdempotencyKey
from regulars_kit.limits import LIMITS
from regulars_kit.models import Instant, StrictModel, Text
from regulars_loyalty.adapters.http.answers import RedemptionOut, ReversalOut, reply
from regulars_loyalty.adapters.http.context import Here
from regulars_loyalty.adapters.http.identities import CustomerIn
from regulars_loyalty.adapters.http.openapi import KEY_REQUIRED
from regulars_loyalty.adapters.http.requests import content_of, request_of
from regulars_loyalty.application.commands import RedeemPoints, ReverseRedemption
from regulars_loyalty.application.redeem_points import redeem_points
from regulars_loyalty.application.reverse_redemption import reverse_redemption

router = Router(tags=["points"])

Writer = Annotated[Principal, Depends(requires("points:write"))]
SomePoints = Annotated[int, Strict(), Field(ge=1, le=LIMITS.amount)]


class RedemptionIn(StrictModel):
    """`programme` and `wallet` may be missing where there is only one."""

    customer: CustomerIn
    points: SomePoints
    programme: Text | None = None
    wallet: Text | None = None
    occurred_at: Instant | None = None


class ReversalIn(StrictModel):
    """No `points`: all that is left of the redemption."""

    points: SomePoints | None = None
    occurred_at: Instant | None = None


@router.post("/v1/redemptions", status_code=201, response_model=RedemptionOut, openapi_extra=KEY_REQUIRED)
async def post_redemption(
    body: RedemptionIn, request: Request, key: IdempotencyKey, principal: Writer, here: Here
) -> Response:
    """Redeem points, the soonest to expire first. Fewer than asked for: 409 `insufficient_points`."""
    command = RedeemPoints(
        shopper=here.identities.shopper(body.customer),
        programme=body.programme,
        wallet=body.wallet,
        points=body.points,
        request=request_of(principal, await content_of(request, "redemption"), body.occurred_at, here, key=key),
    )
    return reply(await redeem_points(command, here.begin, here.now))


@router.post(
    "/v1/redemptions/{redemption_id}/reverse", status_code=201, response_model=ReversalOut, openapi_extra=KEY_REQUIRED
)
async def post_reversal(
    redemption_id: UUID,
    request: Request,
    key: IdempotencyKey,
    principal: Writer,
    here: Here,
    body: ReversalIn | None = None,
) -> Response:
    """Give redeemed points back to the lots they came from; what is past its date expires at once."""
    content = await content_of(request, "reversal", redemption_id)
    said = body or ReversalIn()
    asked = request_of(principal, content, said.occurred_at, here, key=key)
    command = ReverseRedemption(redemption_id, said.points, asked)
    return reply(await reverse_redemption(command, here.begin, here.now))
