"""Events and their deliveries within one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_gateway.domain.attempts import Attempt, State
from regulars_gateway.domain.deliveries import Delivery, Event

# One statement for a whole batch: the inbox tells which events are new; those are stored, each endpoint that wants
# one gets a delivery, and its lane is due. Lanes are locked in one order by everyone, so that nobody waits in a
# circle; the lock is also what a recorder waits for before it says that nothing is left in a lane.
_TAKE = text(
    """
    WITH seen AS (
        INSERT INTO inbox (consumer, event_id)
        SELECT :consumer, id FROM unnest(CAST(:ids AS uuid[])) AS arrived (id)
        ON CONFLICT DO NOTHING RETURNING event_id
    ), stored AS (
        INSERT INTO events (id, type, subject, body, received_at)
        SELECT id, type, subject, body, :at
        FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:subjects AS text[]), CAST(:bodies AS bytea[]))
             WITH ORDINALITY AS arrived (id, type, subject, body, rank)
        JOIN seen ON seen.event_id = arrived.id
        ORDER BY rank
        RETURNING place, id, type, subject
    ), wanted AS (
        INSERT INTO deliveries (id, endpoint_id, place, event_id, event_type, subject, next_at, created_at)
        SELECT uuidv7(), endpoints.id, place, stored.id, stored.type, subject, :at, :at
        FROM stored JOIN endpoints
          ON disabled_reason IS NULL AND removed_at IS NULL AND (types IS NULL OR stored.type = ANY(types))
        ORDER BY place
        RETURNING endpoint_id, subject
    ), due AS (
        INSERT INTO lanes (endpoint_id, subject, next_at)
        SELECT DISTINCT endpoint_id, subject, CAST(:at AS timestamptz) FROM wanted ORDER BY endpoint_id, subject
        ON CONFLICT (endpoint_id, subject) DO UPDATE SET next_at = coalesce(lanes.next_at, excluded.next_at)
    )
    SELECT count(*) FROM seen
    """
)
_COLUMNS = "id, endpoint_id, event_id, event_type, subject, state, tries, created_at, next_at, attempts"
_PAGE = text(
    f"""
    SELECT {_COLUMNS} FROM deliveries
    WHERE (CAST(:endpoint_id AS uuid) IS NULL OR endpoint_id = :endpoint_id)
      AND (CAST(:state AS text) IS NULL OR state = :state)
      AND (CAST(:before AS uuid) IS NULL OR id < :before)
    ORDER BY id DESC LIMIT :limit
    """
)
_LOAD = text(f"SELECT {_COLUMNS} FROM deliveries WHERE id = :id")
_RESEND = text("UPDATE deliveries SET state = 'pending', tries = 0, next_at = :at WHERE id = :id")
_MAKE_DUE = text(
    """
    INSERT INTO lanes (endpoint_id, subject, next_at) VALUES (:endpoint_id, :subject, :at)
    ON CONFLICT (endpoint_id, subject) DO UPDATE SET next_at = excluded.next_at
    """
)


class SqlDeliveries:
    """`consumer` names the rows of the inbox."""

    def __init__(self, connection: AsyncConnection, consumer: str) -> None:
        self._connection = connection
        self._consumer = consumer

    async def take(self, events: Sequence[Event], at: datetime) -> int:
        columns = {
            "consumer": self._consumer,
            "at": at,
            "ids": [event.id for event in events],
            "types": [event.type for event in events],
            "subjects": [event.subject for event in events],
            "bodies": [event.body for event in events],
        }
        return int(await self._connection.scalar(_TAKE, columns) or 0)

    async def page(
        self, *, endpoint_id: UUID | None, state: State | None, before: UUID | None, limit: int
    ) -> Sequence[Delivery]:
        wanted = {"endpoint_id": endpoint_id, "state": state, "before": before, "limit": limit}
        return [_delivery(row) for row in await self._connection.execute(_PAGE, wanted)]

    async def load(self, delivery_id: UUID) -> Delivery | None:
        row = (await self._connection.execute(_LOAD, {"id": delivery_id})).one_or_none()
        return None if row is None else _delivery(row)

    async def resend(self, delivery: Delivery, at: datetime) -> None:
        # The lane first: its lock comes before those of its deliveries everywhere.
        lane = {"endpoint_id": delivery.endpoint_id, "subject": delivery.subject, "at": at}
        await self._connection.execute(_MAKE_DUE, lane)
        await self._connection.execute(_RESEND, {"id": delivery.id, "at": at})


def _delivery(row: Row[Any]) -> Delivery:
    fields = dict(row._mapping)
    attempts = [_attempt(kept) for kept in fields["attempts"]]
    return Delivery(**{**fields, "state": State(fields["state"]), "attempts": attempts})


def _attempt(kept: Mapping[str, Any]) -> Attempt:
    return Attempt(
        at=datetime.fromisoformat(kept["at"]),
        duration_ms=kept["duration_ms"],
        status=kept["status"],
        error=kept["error"],
        answer_start=kept["answer_start"],
    )
