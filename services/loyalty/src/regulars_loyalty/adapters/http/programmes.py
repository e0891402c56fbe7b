"""Programmes: versioned documents with an effective date."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from pydantic_core import to_json

from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router, page
from regulars_kit.models import Instant, Text
from regulars_loyalty.adapters.http.answers import ProgrammeOut, ProgrammesOut, tagged
from regulars_loyalty.adapters.http.context import Here
from regulars_loyalty.application.publish_programme import publish_programme
from regulars_loyalty.application.read_programmes import list_programmes, read_programme

router = Router(tags=["programmes"])

Reader = Annotated[Principal, Depends(requires("programmes:read"))]
Writer = Annotated[Principal, Depends(requires("programmes:write"))]

_EXAMPLE = {
    "effective_from": "2026-01-01",
    "time_zone": "Europe/Berlin",
    "stores": ["*"],
    "wallet": "points",
    "earn": {"EUR": "1"},
    "point_value": {"EUR": "0.01"},
    "expires": {"after": "P12M", "from": "earned"},
    "tiers": [
        {"code": "base", "from": 0, "multiplier": "1"},
        {"code": "gold", "from": 1000, "multiplier": "1.5"},
    ],
    "rules": [{"code": "welcome", "when": {"first_purchase": True}, "bonus": 50}],
}
_DOCUMENT = {"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}}


@router.put("/v1/programmes/{code}", response_model=ProgrammeOut, openapi_extra=_DOCUMENT)
async def put_programme(code: Text, body: dict[str, Any], principal: Writer, here: Here) -> Response:
    """Publish a version, in force from its `effective_from`. The newest version again stays that version."""
    told = await publish_programme(code, body, here.begin, here.now)
    return Response(to_json(told), media_type="application/json")


@router.get("/v1/programmes", response_model=ProgrammesOut)
async def get_programmes(request: Request, principal: Reader, here: Here) -> Response:
    """The newest version of every programme."""
    return tagged(request, page(await list_programmes(here.read), None))


@router.get("/v1/programmes/{code}", response_model=ProgrammeOut)
async def get_programme(
    code: Text,
    request: Request,
    principal: Reader,
    here: Here,
    at: Annotated[Instant | None, Query(description="An instant; now when it is missing.")] = None,
) -> Response:
    """The version in force at an instant."""
    return tagged(request, await read_programme(code, at, here.read, here.now))
