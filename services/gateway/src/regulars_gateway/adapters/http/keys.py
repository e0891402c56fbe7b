"""API keys: make, list, rotate, revoke."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from regulars_gateway.adapters.http.answers import KeyOut, KeysOut, NewKeyOut
from regulars_gateway.adapters.http.context import Here, call_of, giver_of
from regulars_gateway.adapters.http.cursors import read_id, write_id
from regulars_gateway.adapters.http.requests import KeyIn, RotationIn
from regulars_gateway.application.create_key import NewKey, create_key
from regulars_gateway.application.list_keys import list_keys
from regulars_gateway.application.revoke_key import revoke_key
from regulars_gateway.application.rotate_key import rotate_key
from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.idempotency import IdempotencyKey
from regulars_kit.limits import LIMITS
from regulars_kit.models import PageLimit, Text

router = Router(tags=["keys"])

Reader = Annotated[Principal, Depends(requires("keys:read"))]
Writer = Annotated[Principal, Depends(requires("keys:write"))]


@router.post("/v1/keys", status_code=201)
async def post_key(
    principal: Writer, key: IdempotencyKey, body: KeyIn, request: Request, response: Response, here: Here
) -> NewKeyOut:
    """Make a key. Its secret stands in this answer and nowhere else; one gives no more than one holds."""
    known = await here.known_scopes(frozenset(body.scopes))
    call = await call_of(request, principal, key)
    made = await create_key(body.wanted(), giver_of(principal), known, call, here.begin, here.now)
    return _shown(made, response)


@router.get("/v1/keys")
async def get_keys(
    principal: Reader,
    here: Here,
    limit: Annotated[PageLimit, Query()] = LIMITS.page_default,
    cursor: Annotated[Text | None, Query()] = None,
) -> KeysOut:
    """All keys, the newest first, ended ones too. The use of a key is known to the minute."""
    keys, last = await list_keys(here.begin, before=read_id(cursor), limit=limit)
    return KeysOut(items=[KeyOut.of(key) for key in keys], next_cursor=write_id(last))


@router.post("/v1/keys/{key_id}/rotate", status_code=201)
async def post_rotate(
    key_id: UUID,
    principal: Writer,
    key: IdempotencyKey,
    body: RotationIn,
    request: Request,
    response: Response,
    here: Here,
) -> NewKeyOut:
    """Another key for the same client; the old one ends after `overlap_s`."""
    known = await here.known_scopes(frozenset())
    call = await call_of(request, principal, key)
    made = await rotate_key(key_id, body.overlap, giver_of(principal), known, call, here.begin, here.now)
    return _shown(made, response)


@router.delete("/v1/keys/{key_id}", status_code=204)
async def delete_key(key_id: UUID, principal: Writer, here: Here) -> None:
    """Revoke a key; within five seconds it opens nothing. It stays in the list."""
    await revoke_key(key_id, here.begin, here.now)


def _shown(made: NewKey, response: Response) -> NewKeyOut:
    response.headers["Cache-Control"] = "no-store"
    if made.secret is None:
        response.headers["Idempotent-Replayed"] = "true"
    return NewKeyOut(**KeyOut.of(made.key).model_dump(), key=made.secret)
