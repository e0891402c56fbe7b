"""Requests that create, and may come twice."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated

from fastapi import Depends, Request, Response

from regulars_campaign.application.ports import Call, Made
from regulars_kit.auth import Principal
from regulars_kit.idempotency import IdempotencyKey, content_hash


async def read_content_hash(request: Request) -> bytes:
    return content_hash(_exact(await request.json()))


def _exact(value: object) -> object:
    """The value with its numbers as they are written: rules compare with fractions, which have no canonical form."""
    if isinstance(value, dict):
        return {key: _exact(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_exact(part) for part in value]
    return value if value is None or isinstance(value, str | bool) else ["number", repr(value)]


ContentHash = Annotated[bytes, Depends(read_content_hash)]
Key = IdempotencyKey


def call_of(principal: Principal, key: str, content: bytes) -> Call:
    return Call(principal.client, key, content)


def tell(made: Made, path: str, response: Response) -> None:
    """Where it lies, and whether this was said before."""
    response.headers["Location"] = f"{path}/{made.id}"
    if made.is_replayed:
        response.headers["Idempotent-Replayed"] = "true"
