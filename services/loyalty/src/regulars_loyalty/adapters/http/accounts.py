"""A customer's points: balances, lots, tier, ledger, and an operator's adjustments."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router, decode_cursor, encode_cursor, page
from regulars_kit.idempotency import IdempotencyKey
from regulars_kit.limits import LIMITS
from regulars_kit.models import Instant, LongText, PageLimit, Points, StrictModel, Text
from regulars_loyalty.adapters.http.answers import (
    AccountOut,
    AdjustmentOut,
    EntriesOut,
    LotsOut,
    TierOut,
    reply,
    tagged,
)
from regulars_loyalty.adapters.http.context import Here
from regulars_loyalty.adapters.http.openapi import KEY_REQUIRED
from regulars_loyalty.adapters.http.requests import content_of, request_of
from regulars_loyalty.application.adjust_points import adjust_points
from regulars_loyalty.application.commands import AdjustPoints
from regulars_loyalty.application.read_account import read_account
from regulars_loyalty.application.read_ledger import read_ledger
from regulars_loyalty.application.read_lots import read_lots
from regulars_loyalty.application.read_tier import read_tier

router = Router(tags=["points"])

Reader = Annotated[Principal, Depends(requires("accounts:read"))]
LedgerReader = Annotated[Principal, Depends(requires("ledger:read"))]
Writer = Annotated[Principal, Depends(requires("points:write"))]

ProgrammeAsked = Annotated[Text | None, Query(description="Its code; not needed where there is only one.")]
WalletAsked = Annotated[Text | None, Query()]


def _not_zero(points: int) -> int:
    if points == 0:
        raise PydanticCustomError("out_of_range", "must not be zero")
    return points


class AdjustmentIn(StrictModel):
    """Goodwill above zero, a lot until `expires_at` (missing: by the programme's lot life); a correction below."""

    points: Annotated[Points, AfterValidator(_not_zero)]
    reason: Annotated[LongText, StringConstraints(min_length=1)]
    programme: Text | None = None
    wallet: Text | None = None
    expires_at: Instant | None = None
    occurred_at: Instant | None = None


@router.get("/v1/accounts/{customer_id}", response_model=AccountOut)
async def get_account(
    customer_id: UUID,
    request: Request,
    principal: Reader,
    here: Here,
    programme: ProgrammeAsked = None,
    wallet: WalletAsked = None,
    as_of: Annotated[Instant | None, Query(description="Business time; ahead: if nothing else happens.")] = None,
    known_at: Annotated[Instant | None, Query(description="What was recorded by then.")] = None,
) -> Response:
    """A customer's balances, now or at another time."""
    told = await read_account(customer_id, programme, wallet, as_of, known_at, here.read, here.now)
    return tagged(request, told)


@router.get("/v1/accounts/{customer_id}/lots", response_model=LotsOut)
async def get_lots(
    customer_id: UUID,
    request: Request,
    principal: Reader,
    here: Here,
    programme: ProgrammeAsked = None,
    wallet: WalletAsked = None,
) -> Response:
    """The lots that have points left, in the order in which they will be spent."""
    return tagged(request, page(await read_lots(customer_id, programme, wallet, here.read, here.now), None))


@router.get("/v1/accounts/{customer_id}/tier", response_model=TierOut)
async def get_tier(
    customer_id: UUID,
    request: Request,
    principal: Reader,
    here: Here,
    programme: ProgrammeAsked = None,
    wallet: WalletAsked = None,
) -> Response:
    """The tier held, and what the next one takes."""
    return tagged(request, await read_tier(customer_id, programme, wallet, here.read, here.now))


@router.get("/v1/accounts/{customer_id}/ledger", response_model=EntriesOut)
async def get_ledger(
    customer_id: UUID,
    request: Request,
    principal: LedgerReader,
    here: Here,
    programme: ProgrammeAsked = None,
    wallet: WalletAsked = None,
    limit: Annotated[PageLimit, Query()] = LIMITS.page_default,
    cursor: Annotated[Text | None, Query()] = None,
) -> Response:
    """An account's postings in their order, each chained to the one before by its hash."""
    after = 0 if cursor is None else int(str(decode_cursor(cursor, int)[0]))
    entries = await read_ledger(customer_id, programme, wallet, after, limit, here.read)
    more = encode_cursor(int(str(entries[-1]["account_seq"]))) if len(entries) == limit else None
    return tagged(request, page(entries, more))


@router.post(
    "/v1/accounts/{customer_id}/adjustments", status_code=201, response_model=AdjustmentOut, openapi_extra=KEY_REQUIRED
)
async def post_adjustment(
    customer_id: UUID, body: AdjustmentIn, request: Request, key: IdempotencyKey, principal: Writer, here: Here
) -> Response:
    """Give points or take some, for a reason. The operator is the principal's subject, else its client."""
    command = AdjustPoints(
        customer_id=customer_id,
        programme=body.programme,
        wallet=body.wallet,
        points=body.points,
        reason=body.reason,
        operator=principal.subject or principal.client,
        expires_at=body.expires_at,
        request=request_of(
            principal, await content_of(request, "adjustment", customer_id), body.occurred_at, here, key=key
        ),
    )
    return reply(await adjust_points(command, here.begin, here.now))
