"""The books: why a posting was made, and what they sum up to."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.models import Text
from regulars_loyalty.adapters.http.answers import ExplanationOut, TotalsOut, tagged
from regulars_loyalty.adapters.http.context import Here
from regulars_loyalty.application.explain_entry import explain_entry
from regulars_loyalty.application.read_totals import read_totals

router = Router(tags=["ledger"])

Reader = Annotated[Principal, Depends(requires("ledger:read"))]


@router.get("/v1/ledger/entries/{entry_id}/explain", response_model=ExplanationOut)
async def get_explanation(entry_id: Text, request: Request, principal: Reader, here: Here) -> Response:
    """A posting down to line, rule version, factor, remainder and lot, and what became of its points."""
    return tagged(request, await explain_entry(entry_id, here.read))


@router.get("/v1/ledger/totals", response_model=TotalsOut)
async def get_totals(
    request: Request, principal: Reader, here: Here, programme: Annotated[Text | None, Query()] = None
) -> Response:
    """A programme's books in points: issued, redeemed, expired, taken back, and what customers may still spend."""
    return tagged(request, await read_totals(programme, here.read))
