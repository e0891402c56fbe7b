"""Dead letters over HTTP: read them, and have one handled again once its cause is gone."""

# No `from __future__ import annotations`: FastAPI reads the annotations of functions inside a function.

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from regulars_kit.auth import requires
from regulars_kit.dead_letters import DeadLetter, UnknownDeadLetter, bare_id, list_dead_letters
from regulars_kit.http import Router
from regulars_kit.inbox import Consumer, replay_dead_letter
from regulars_kit.limits import LIMITS
from regulars_kit.models import PageLimit
from regulars_kit.pagination import CursorInvalid, decode_cursor, encode_cursor


class DeadLetterOut(BaseModel):
    """An event set aside. `body` is the event as it came; `replayed_at` None: it still waits."""

    id: str
    consumer: str
    topic: str
    event_id: UUID
    type: str
    key: str
    body: str
    reason: str
    attempts: int
    died_at: datetime
    replayed_at: datetime | None

    @classmethod
    def of(cls, letter: DeadLetter) -> Self:
        return cls(
            id=letter.id,
            consumer=letter.consumer,
            topic=letter.topic,
            event_id=letter.event_id,
            type=letter.type,
            key=letter.key,
            body=letter.body.decode(errors="replace"),
            reason=letter.reason,
            attempts=letter.attempts,
            died_at=letter.died_at,
            replayed_at=letter.replayed_at,
        )


class DeadLettersOut(BaseModel):
    items: list[DeadLetterOut]
    next_cursor: str | None


def dead_letter_routes(consumer: Consumer, service: str) -> Router:
    """`GET /v1/dead-letters` (scope `dead_letters:read`), `POST …/{id}/replay` (scope `dead_letters:write`)."""
    router = Router(tags=["dead letters"])

    @router.get("/v1/dead-letters", dependencies=[Depends(requires("dead_letters:read"))])
    async def get_dead_letters(
        limit: Annotated[PageLimit, Query()] = LIMITS.page_default,
        cursor: str | None = None,
        waiting: bool = True,
        service_asked: Annotated[str, Query(alias="service")] = service,
    ) -> DeadLettersOut:
        """The events this service set aside, the newest first; with `waiting=false` also those replayed since."""
        if service_asked != service:
            return DeadLettersOut(items=[], next_cursor=None)
        before = None if cursor is None else _position(cursor)
        async with consumer.database.transaction() as connection:
            letters = await list_dead_letters(connection, service, limit=limit, before=before, waiting=waiting)
        more = encode_cursor(letters[-1].id) if len(letters) == limit else None
        return DeadLettersOut(items=[DeadLetterOut.of(letter) for letter in letters], next_cursor=more)

    @router.post("/v1/dead-letters/{letter_id}/replay", dependencies=[Depends(requires("dead_letters:write"))])
    async def replay(letter_id: str) -> DeadLetterOut:
        """Handle the event again, now. Replayed before: the same answer, no effect."""
        return DeadLetterOut.of(await replay_dead_letter(consumer, service, letter_id))

    def _position(cursor: str) -> UUID:
        (letter_id,) = decode_cursor(cursor, str)
        try:
            return bare_id(service, str(letter_id))
        except UnknownDeadLetter as error:
            raise CursorInvalid("the cursor is not one of this list") from error

    return router
