"""Requests that create, and may come twice."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated

from fastapi import Depends, Request, Response

from regulars_campaign.application.ports import Call, Made
from regulars_kit.auth import Principal
from regulars_kit.idempotency import IdempotencyKey, content_hash


async def read_content_hash(request: Request) -> bytes:
    return content_hash(await request.json())


ContentHash = Annotated[bytes, Depends(read_content_hash)]
Key = IdempotencyKey


def call_of(principal: Principal, key: str, content: bytes) -> Call:
    return Call(principal.client, key, content)


def tell(made: Made, path: str, response: Response) -> None:
    """Where it lies, and whether this was said before."""
    response.headers["Location"] = f"{path}/{made.id}"
    if made.is_replayed:
        response.headers["Idempotent-Replayed"] = "true"
