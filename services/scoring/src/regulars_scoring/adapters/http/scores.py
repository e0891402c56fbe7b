"""A customer's score."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated, cast
from uuid import UUID

from fastapi import Query

from regulars_kit.http import Router, decode_cursor, encode_cursor
from regulars_kit.limits import LIMITS
from regulars_kit.models import Day, PageLimit
from regulars_kit.values import CustomerId
from regulars_scoring.adapters.http.answers import HistoryOut, PublishedOut, ScoreOut
from regulars_scoring.adapters.http.context import Here, Reader
from regulars_scoring.application.read_history import read_history
from regulars_scoring.application.read_score import read_score

router = Router(tags=["scores"])


@router.get("/v1/scores/{customer_id}")
async def get_score(customer_id: UUID, principal: Reader, here: Here, as_of: Day | None = None) -> ScoreOut:
    """The customer's score today, or at the end of another day, reckoned from their purchases until then."""
    return ScoreOut.of(await read_score(CustomerId(customer_id), as_of, here.read, here.house))


@router.get("/v1/scores/{customer_id}/history")
async def get_history(
    customer_id: UUID,
    principal: Reader,
    here: Here,
    limit: Annotated[PageLimit, Query()] = LIMITS.page_default,
    cursor: str | None = None,
) -> HistoryOut:
    """What was published of the customer, a row per change, the newest first."""
    before = None if cursor is None else cast(int, decode_cursor(cursor, int)[0])
    entries = await read_history(CustomerId(customer_id), before, limit, here.read)
    following = encode_cursor(entries[-1].place) if len(entries) == limit else None
    return HistoryOut(items=[PublishedOut.of(entry) for entry in entries], next_cursor=following)
