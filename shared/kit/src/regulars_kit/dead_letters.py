"""Dead letters: events set aside with their reason, to be read by a person and handled again once the cause is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_kit.bus import Received
from regulars_kit.values import Refused, new_id

DDL: tuple[str, ...] = (
    """
    CREATE TABLE dead_letters (
        id uuid PRIMARY KEY,
        consumer text NOT NULL,
        topic text NOT NULL,
        event_id uuid NOT NULL,
        type text NOT NULL,
        key text NOT NULL,
        body bytea NOT NULL,
        reason text NOT NULL,
        attempts integer NOT NULL,
        died_at timestamptz NOT NULL DEFAULT now(),
        replayed_at timestamptz,
        UNIQUE (consumer, event_id)
    )
    """,
)

REASON_LIMIT = 1_000
"""Characters of a reason that are kept: a validation error can list a thousand fields."""


class UnknownDeadLetter(Refused):
    """There is no such dead letter here."""

    code = "unknown_dead_letter"


class ReplayRefused(Refused):
    """The event was handled again and cannot be handled still."""

    code = "dead_letter_refused_again"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`id` carries its service (`loyalty-0197…`), so that the door can route by it. `replayed_at` None: it waits."""

    id: str
    consumer: str
    topic: str
    event_id: UUID
    type: str
    key: str
    body: bytes
    reason: str
    attempts: int
    died_at: datetime
    replayed_at: datetime | None

    @property
    def uuid(self) -> UUID:
        """The id without its service: the cursor of `list_dead_letters`."""
        return UUID(self.id.partition("-")[2])


# The same event may die twice, when it is redelivered to another member before the first has committed its offset.
_BURY = text(
    """
    INSERT INTO dead_letters (id, consumer, topic, event_id, type, key, body, reason, attempts)
    VALUES (:id, :consumer, :topic, :event_id, :type, :key, :body, :reason, :attempts)
    ON CONFLICT (consumer, event_id) DO UPDATE
    SET reason = excluded.reason, attempts = dead_letters.attempts + excluded.attempts, replayed_at = NULL
    """
)

_COLUMNS = "id, consumer, topic, event_id, type, key, body, reason, attempts, died_at, replayed_at"


async def bury(connection: AsyncConnection, consumer: str, received: Received, reason: str, attempts: int) -> None:
    """Set the event aside. The caller's transaction is its own, not the handler's, which was rolled back."""
    message = received.message
    row: Mapping[str, object] = {
        "id": new_id(),
        "consumer": consumer,
        "topic": received.topic,
        "event_id": message.event_id,
        "type": message.type,
        "key": message.key,
        "body": message.body,
        "reason": reason[:REASON_LIMIT].replace("\x00", ""),
        "attempts": attempts,
    }
    await connection.execute(_BURY, dict(row))


async def list_dead_letters(
    connection: AsyncConnection, service: str, *, limit: int = 50, before: UUID | None = None, waiting: bool = True
) -> list[DeadLetter]:
    """The newest first. `before` is the bare id of the last one seen; `waiting` leaves out those already replayed."""
    rows = await connection.execute(
        text(
            f"SELECT {_COLUMNS} FROM dead_letters "
            "WHERE (CAST(:before AS uuid) IS NULL OR id < :before) AND (NOT :waiting OR replayed_at IS NULL) "
            "ORDER BY id DESC LIMIT :limit"
        ),
        {"before": before, "waiting": waiting, "limit": limit},
    )
    return [_dead_letter(service, row) for row in rows]


async def lock_dead_letter(connection: AsyncConnection, service: str, letter_id: str) -> DeadLetter:
    """The letter, locked against a second replay until the transaction ends. Raises `UnknownDeadLetter`."""
    rows = await connection.execute(
        text(f"SELECT {_COLUMNS} FROM dead_letters WHERE id = :id FOR UPDATE"), {"id": bare_id(service, letter_id)}
    )
    row = rows.one_or_none()
    if row is None:
        raise UnknownDeadLetter("there is no such dead letter")
    return _dead_letter(service, row)


async def mark_replayed(connection: AsyncConnection, letter: DeadLetter, at: datetime) -> None:
    await connection.execute(
        text("UPDATE dead_letters SET replayed_at = :at WHERE consumer = :consumer AND event_id = :event_id"),
        {"at": at, "consumer": letter.consumer, "event_id": letter.event_id},
    )


def bare_id(service: str, letter_id: str) -> UUID:
    """The UUID in `<service>-<uuid>`. Raises `UnknownDeadLetter` for another service's, or nonsense."""
    prefix, _, bare = letter_id.partition("-")
    try:
        if prefix == service:
            return UUID(bare)
    except ValueError:
        pass
    raise UnknownDeadLetter("there is no such dead letter")


def _dead_letter(service: str, row: Row[Any]) -> DeadLetter:
    fields = dict(row._mapping)
    return DeadLetter(**{**fields, "id": f"{service}-{fields['id']}"})
