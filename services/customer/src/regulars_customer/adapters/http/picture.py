"""A customer from all sides, and everything that happened to them."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from collections.abc import Collection
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from regulars_customer.adapters.http.context import Here
from regulars_customer.adapters.http.pictures import EntryOut, PictureOut, TimelineOut
from regulars_customer.application.read_360 import read_360
from regulars_customer.application.read_timeline import read_timeline
from regulars_customer.domain.timeline import Kind, Place
from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router, decode_cursor, encode_cursor
from regulars_kit.limits import LIMITS
from regulars_kit.models import PageLimit, Text
from regulars_kit.pagination import CursorInvalid
from regulars_kit.validation import FieldError, InvalidRequest
from regulars_kit.values import CustomerId

router = Router(tags=["customers"])

Reader = Annotated[Principal, Depends(requires("customers:read"))]

Kinds = Annotated[
    Text | None, Query(description="Keeps these kinds alone, separated by commas: `purchase_recorded,message_sent`.")
]


@router.get("/v1/customers/{customer_id}/360")
async def get_360(customer_id: UUID, principal: Reader, here: Here) -> PictureOut:
    """The customer from all sides, out of this service's own database: it answers while every other one is away.

    Each part says how old it is; one that nobody has told of yet is null, with the reason.
    """
    return PictureOut.of(await read_360(CustomerId(customer_id), here.read), here.now())


@router.get("/v1/customers/{customer_id}/timeline")
async def get_timeline(
    customer_id: UUID,
    principal: Reader,
    here: Here,
    limit: Annotated[PageLimit, Query()] = LIMITS.page_default,
    cursor: Annotated[Text | None, Query()] = None,
    kinds: Kinds = None,
) -> TimelineOut:
    """Everything that happened between the customer and the shop, the newest first."""
    before = None if cursor is None else _place(cursor)
    entries, rest = await read_timeline(
        CustomerId(customer_id), here.read, kinds=_kinds(kinds), before=before, limit=limit
    )
    next_cursor = None if rest is None else encode_cursor(rest[0].isoformat(), str(rest[1]))
    return TimelineOut(items=[EntryOut.of(entry) for entry in entries], next_cursor=next_cursor)


def _kinds(asked: str | None) -> Collection[Kind]:
    """None: all there are."""
    if asked is None:
        return list(Kind)
    try:
        return {Kind(kind.strip()) for kind in asked.split(",")}
    except ValueError:
        known = ", ".join(Kind)
        raise InvalidRequest([FieldError("invalid_field", f"must be some of {known}", parameter="kinds")]) from None


def _place(cursor: str) -> Place:
    occurred_at, event_id = decode_cursor(cursor, str, str)
    try:
        place = datetime.fromisoformat(str(occurred_at)), UUID(str(event_id))
    except ValueError:
        raise CursorInvalid("the cursor is not one of this list") from None
    if place[0].tzinfo is None:
        raise CursorInvalid("the cursor is not one of this list")
    return place
