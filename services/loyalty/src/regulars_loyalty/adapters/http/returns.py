"""Goods that come back, receipts that are cancelled, receipts that find their customer."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import Field

from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.limits import LIMITS
from regulars_kit.models import Instant, StrictModel, Text
from regulars_loyalty.adapters.http.answers import ClaimOut, GoodsReturnOut, ReturnOut, reply
from regulars_loyalty.adapters.http.context import Here
from regulars_loyalty.adapters.http.identities import CustomerIn
from regulars_loyalty.adapters.http.receipts import Amount, PaidMinor, Quantity, SlipIn, check_line_ids, check_lines
from regulars_loyalty.adapters.http.requests import content_of, request_of
from regulars_loyalty.application.claim_purchase import claim_purchase
from regulars_loyalty.application.commands import ClaimPurchase, ReturnGoods, ReturnPurchase, VoidPurchase
from regulars_loyalty.application.return_purchase import return_purchase
from regulars_loyalty.application.return_without_receipt import return_without_receipt
from regulars_loyalty.application.void_purchase import void_purchase
from regulars_loyalty.domain.refusals import StoreNotAllowed
from regulars_loyalty.domain.returning import GoodsReturned, LineWanted

router = Router(tags=["purchases"])

Writer = Annotated[Principal, Depends(requires("purchases:write"))]
DryRun = Annotated[bool, Query(description="Answer what would happen, and do nothing.")]


class ReturnedLineIn(StrictModel):
    """What came back of a line: by quantity, by amount when there is none, with neither all that is left."""

    line_id: Text
    quantity: Quantity | None = None
    net_minor: Amount | None = None


class ReturnIn(StrictModel):
    """`return_id` is the client's. No lines: all that is left of the purchase. No store: where it was bought."""

    return_id: UUID
    store: Text | None = None
    lines: Annotated[tuple[ReturnedLineIn, ...], Field(max_length=LIMITS.document_lines)] = ()
    occurred_at: Instant | None = None


class VoidIn(StrictModel):
    occurred_at: Instant | None = None


class ClaimIn(StrictModel):
    customer: CustomerIn


class GoodsLineIn(StrictModel):
    sku: Text
    quantity: Quantity
    net_minor: PaidMinor


class GoodsReturnIn(SlipIn):
    """A return without its receipt: `receipt_no` is its own number, unique among returns."""

    return_id: UUID
    lines: Annotated[tuple[GoodsLineIn, ...], Field(min_length=1, max_length=LIMITS.document_lines)]


@router.post("/v1/purchases/{purchase_id}/returns", status_code=201, response_model=ReturnOut)
async def post_return(
    purchase_id: UUID, body: ReturnIn, request: Request, principal: Writer, here: Here, dry_run: DryRun = False
) -> Response:
    """Take lines of a purchase back. More than is left of them: 409 `nothing_left_to_return`, and nothing happens.

    The same `return_id` again gets the first answer. A dry run answers 200. A key that is limited to stores takes back
    at these alone, whatever store sold it: where that was another one, `store` says which of them takes it back.
    """
    check_line_ids([line.line_id for line in body.lines])
    lines = tuple(LineWanted(line.line_id, line.quantity, line.net_minor) for line in body.lines)
    _check_wanted(lines)
    content = await content_of(request, "return", purchase_id)
    asked = request_of(principal, content, body.occurred_at, here, dry_run=dry_run)
    command = ReturnPurchase(purchase_id, body.return_id, lines, asked, body.store)
    return reply(await return_purchase(command, here.begin, here.now), 200 if dry_run else 201)


@router.post("/v1/purchases/{purchase_id}/void", status_code=201, response_model=ReturnOut)
async def post_void(
    purchase_id: UUID,
    request: Request,
    principal: Writer,
    here: Here,
    body: VoidIn | None = None,
    dry_run: DryRun = False,
) -> Response:
    """Cancel a receipt: all that is left of it comes back. Again: the first answer. A dry run answers 200."""
    content = await content_of(request, "void", purchase_id)
    asked = request_of(principal, content, (body or VoidIn()).occurred_at, here, dry_run=dry_run)
    answer = await void_purchase(VoidPurchase(purchase_id, asked), here.begin, here.now)
    return reply(answer, 200 if dry_run else 201)


@router.post("/v1/purchases/{purchase_id}/claim", response_model=ClaimOut)
async def post_claim(purchase_id: UUID, body: ClaimIn, request: Request, principal: Writer, here: Here) -> Response:
    """Give a purchase that was recorded without a customer to the one who has the receipt."""
    content = await content_of(request, "claim", purchase_id)
    asked = request_of(principal, content, None, here)
    command = ClaimPurchase(purchase_id, here.identities.shopper(body.customer), asked)
    return reply(await claim_purchase(command, here.begin, here.now), 200)


@router.post("/v1/returns", status_code=201, response_model=GoodsReturnOut)
async def post_goods_return(body: GoodsReturnIn, request: Request, principal: Writer, here: Here) -> Response:
    """Take goods back without their receipt: they are matched to the customer's own purchases, newest first.

    What matches none takes no points and is flagged `unmatched_return`.
    """
    if not principal.may_act_for(body.store):
        raise StoreNotAllowed("this principal may not post for this store", field="/store")
    check_lines([(line.quantity, line.net_minor) for line in body.lines])
    command = ReturnGoods(
        return_id=body.return_id,
        receipt=body.receipt(),
        shopper=here.identities.shopper(body.customer) if body.customer else None,
        programme=body.programme,
        currency=body.currency,
        lines=tuple(GoodsReturned(line.sku, line.quantity, line.net_minor) for line in body.lines),
        request=request_of(principal, await content_of(request, "goods_return"), body.occurred_at, here),
    )
    return reply(await return_without_receipt(command, here.begin, here.now))


def _check_wanted(lines: tuple[LineWanted, ...]) -> None:
    # A quantity that is not above zero is no return, as it is no sale.
    check_lines([(1 if line.quantity_milli is None else line.quantity_milli, 0) for line in lines])
