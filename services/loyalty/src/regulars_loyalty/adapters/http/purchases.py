"""A purchase over HTTP: the till's path.

`PUT` and `POST` are plain Starlette routes: FastAPI's parameter machinery would take more than half of their time.
Their entries in the OpenAPI document are made in `openapi.py`.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from regulars_kit.auth import Principal, guarded, requires
from regulars_kit.http import Router, read_json, validate
from regulars_kit.idempotency import HEADER, idempotency_key
from regulars_kit.validation import FieldError, InvalidRequest
from regulars_loyalty.adapters.http.answers import StoredPurchaseOut, reply, tagged
from regulars_loyalty.adapters.http.context import Context, Here
from regulars_loyalty.adapters.http.receipts import PurchaseIn, Sender, to_command
from regulars_loyalty.application.read_purchase import read_purchase

NAMED, UNNAMED = "/v1/purchases/{purchase_id}", "/v1/purchases"
SCOPE = "purchases:write"

router = Router(tags=["purchases"])


def add_purchase_routes(app: FastAPI) -> None:
    """The two plain routes, put before all others: routes are tried in their order."""
    app.router.routes[:0] = [
        Route(NAMED, put_purchase, methods=["PUT"], include_in_schema=False),
        Route(UNNAMED, post_purchase, methods=["POST"], include_in_schema=False),
    ]


@guarded(SCOPE)
async def put_purchase(request: Request, principal: Principal) -> Response:
    """Record a purchase. The client names it, so that a retry is safe."""
    try:
        purchase_id = UUID(request.path_params["purchase_id"])
    except ValueError:
        raise InvalidRequest([FieldError("invalid_field", "must be a UUID", parameter="purchase_id")]) from None
    return await _record(request, principal, purchase_id)


@guarded(SCOPE)
async def post_purchase(request: Request, principal: Principal) -> Response:
    """Record a purchase that the server names. A retry is known by its Idempotency-Key, or its receipt number."""
    return await _record(request, principal, None)


async def _record(request: Request, principal: Principal, purchase_id: UUID | None) -> Response:
    here: Context = request.app.state.loyalty
    value = await read_json(request)
    key = idempotency_key(request) if HEADER in request.headers else None
    body = validate(PurchaseIn, value)
    command = to_command(body, value, Sender(principal, purchase_id, key), here.identities, here.now)
    return reply(await here.purchases.record(command))


@router.get(NAMED, response_model=StoredPurchaseOut)
async def get_purchase(
    purchase_id: UUID,
    request: Request,
    principal: Annotated[Principal, Depends(requires("purchases:read"))],
    here: Here,
) -> Response:
    """A purchase as it was recorded, with its points and what has come back of each line."""
    return tagged(request, await read_purchase(purchase_id, here.read))
