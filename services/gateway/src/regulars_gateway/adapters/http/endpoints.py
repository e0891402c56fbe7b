"""Webhook endpoints: register, list, change, remove; new secrets; a test ping."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from regulars_gateway.adapters.http.answers import EndpointOut, EndpointsOut, NewEndpointOut, PingOut
from regulars_gateway.adapters.http.context import Context, Here, call_of
from regulars_gateway.adapters.http.cursors import read_id, write_id
from regulars_gateway.adapters.http.requests import EndpointChangeIn, EndpointIn, RotationIn
from regulars_gateway.application.change_endpoint import change_endpoint
from regulars_gateway.application.list_endpoints import list_endpoints
from regulars_gateway.application.ping_endpoint import ping_endpoint
from regulars_gateway.application.read_endpoint import read_endpoint
from regulars_gateway.application.register_endpoint import NewEndpoint, register_endpoint
from regulars_gateway.application.remove_endpoint import remove_endpoint
from regulars_gateway.application.rotate_secret import rotate_secret
from regulars_gateway.domain import endpoints
from regulars_gateway.domain.endpoints import Endpoint
from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.idempotency import IdempotencyKey
from regulars_kit.limits import LIMITS
from regulars_kit.models import PageLimit, Text

router = Router(tags=["webhooks"])

Reader = Annotated[Principal, Depends(requires("webhooks:read"))]
Writer = Annotated[Principal, Depends(requires("webhooks:write"))]


@router.post("/v1/webhooks/endpoints", status_code=201)
async def post_endpoint(
    principal: Writer, key: IdempotencyKey, body: EndpointIn, request: Request, response: Response, here: Here
) -> NewEndpointOut:
    """Register an endpoint. The secret by which its deliveries are signed stands in this answer and nowhere else."""
    call = await call_of(request, principal, key)
    made = await register_endpoint(body.wanted(), here.event_types, here.is_denied, call, here.begin, here.now)
    return _shown(made, response)


@router.get("/v1/webhooks/endpoints")
async def get_endpoints(
    principal: Reader,
    here: Here,
    limit: Annotated[PageLimit, Query()] = LIMITS.page_default,
    cursor: Annotated[Text | None, Query()] = None,
) -> EndpointsOut:
    """All endpoints, the oldest first."""
    found, last = await list_endpoints(here.begin, after=read_id(cursor), limit=limit)
    return EndpointsOut(items=[EndpointOut.of(endpoint) for endpoint in found], next_cursor=write_id(last))


@router.get("/v1/webhooks/endpoints/{endpoint_id}")
async def get_endpoint(endpoint_id: UUID, principal: Reader, here: Here) -> EndpointOut:
    """An endpoint, and how it fares."""
    return EndpointOut.of(await read_endpoint(endpoint_id, here.begin))


@router.patch("/v1/webhooks/endpoints/{endpoint_id}")
async def patch_endpoint(endpoint_id: UUID, body: EndpointChangeIn, principal: Writer, here: Here) -> EndpointOut:
    """Change an endpoint. Enabled again, it goes on with what is pending, with a clean record."""

    def change(endpoint: Endpoint) -> Endpoint:
        return _changed(endpoint, body, here)

    return EndpointOut.of(await change_endpoint(endpoint_id, change, here.begin))


@router.delete("/v1/webhooks/endpoints/{endpoint_id}", status_code=204)
async def delete_endpoint(endpoint_id: UUID, principal: Writer, here: Here) -> None:
    """Remove an endpoint; what was due to it is cancelled."""
    await remove_endpoint(endpoint_id, here.begin, here.now)


@router.post("/v1/webhooks/endpoints/{endpoint_id}/rotate", status_code=201)
async def post_rotate(
    endpoint_id: UUID,
    principal: Writer,
    key: IdempotencyKey,
    body: RotationIn,
    request: Request,
    response: Response,
    here: Here,
) -> NewEndpointOut:
    """A new secret. For `overlap_s` every delivery is signed by the old one too."""
    call = await call_of(request, principal, key)
    return _shown(await rotate_secret(endpoint_id, body.overlap, call, here.begin, here.now), response)


@router.post("/v1/webhooks/endpoints/{endpoint_id}/test")
async def post_test(endpoint_id: UUID, principal: Writer, here: Here) -> PingOut:
    """Send a signed `gateway.ping.v1` at once, and say what came of it. It is tried once and counts for nothing."""
    return PingOut.of(await ping_endpoint(endpoint_id, here.ping, here.send, here.begin, here.now))


def _changed(endpoint: Endpoint, body: EndpointChangeIn, here: Context) -> Endpoint:
    said = body.model_fields_set
    if body.url is not None:
        endpoint = replace(endpoint, url=endpoints.checked_url(body.url, here.is_denied))
    if "types" in said:
        endpoint = replace(endpoint, types=endpoints.checked_types(body.types, here.event_types))
    if body.description is not None:
        endpoint = replace(endpoint, description=body.description)
    if body.enabled is not None:
        endpoint = endpoints.enabled(endpoint) if body.enabled else endpoints.disabled(endpoint, "by_hand", here.now())
    return endpoint


def _shown(made: NewEndpoint, response: Response) -> NewEndpointOut:
    response.headers["Cache-Control"] = "no-store"
    if made.secret is None:
        response.headers["Idempotent-Replayed"] = "true"
    return NewEndpointOut(**EndpointOut.of(made.endpoint).model_dump(), secret=made.secret)
