"""The pull feed: the same events, for those who would rather ask."""

# No `from __future__ import annotations`: FastAPI reads the annotations as objects.

from typing import Annotated

from fastapi import Depends, Query
from starlette.responses import Response

from regulars_gateway.adapters.http.answers import FeedOut
from regulars_gateway.adapters.http.context import Here
from regulars_gateway.adapters.http.requests import EventType
from regulars_gateway.application.read_feed import Feed, read_feed
from regulars_kit.auth import Principal, requires
from regulars_kit.http import Router
from regulars_kit.limits import LIMITS
from regulars_kit.models import PageLimit

router = Router(tags=["events"])

Reader = Annotated[Principal, Depends(requires("events:read"))]
After = Annotated[int, Query(ge=0, lt=2**63)]


@router.get("/v1/events", response_model=FeedOut)
async def get_events(
    principal: Reader,
    here: Here,
    after: After | None = None,
    types: Annotated[list[EventType] | None, Query(max_length=100)] = None,
    limit: Annotated[PageLimit, Query()] = LIMITS.page_default,
) -> Response:
    """The events after that number, in order; without `after` the oldest that are kept, which is 30 days of them.

    Go on with `after=` the answer's `read_up_to`. `types` may be given several times. An `after` that lies before
    what is kept: 410 `cursor_expired`.
    """
    feed = await read_feed(here.begin, after=after, types=types, known_types=here.event_types, limit=limit)
    return Response(_written(feed), media_type="application/json")


def _written(feed: Feed) -> bytes:
    # The events as the bytes they came in: read and written again, a page would cost milliseconds.
    items = b",".join(b'{"sequence":%d,"event":%b}' % (item.sequence, item.body) for item in feed.items)
    cursor = b'"%d"' % feed.read_up_to if feed.has_more else b"null"
    return b'{"items":[%b],"next_cursor":%b,"read_up_to":%d}' % (items, cursor, feed.read_up_to)
