"""Lanes as deliverers share them: claimed by a lease, worked off, given back."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_gateway.adapters.db.endpoints import secrets_of
from regulars_gateway.application.ports import Outcome, Terms
from regulars_gateway.domain.attempts import Attempt
from regulars_gateway.domain.deliveries import Claimed, Due, Lane, LaneReport
from regulars_gateway.domain.health import PROBED_AFTER

PER_TURN = 10
"""Deliveries of a lane that are taken with one claim; of them no more than the bytes of a turn."""

BYTES_PER_TURN = 256 * 1024
ATTEMPTS_KEPT = 50

# Its own statement, so that the next one sees what those had claimed who held these locks before.
_OPEN = text(
    """
    SELECT id FROM endpoints
    WHERE disabled_reason IS NULL AND removed_at IS NULL
      AND (failures_in_row < :probed_after OR probe_at IS NULL OR probe_at <= :at)
    ORDER BY id FOR UPDATE SKIP LOCKED
    """
)
_FREE = text(
    """
    UPDATE lanes SET claim = NULL, leased_until = NULL
    WHERE (endpoint_id, subject) IN (
        SELECT endpoint_id, subject FROM lanes WHERE claim IS NOT NULL AND leased_until < :at FOR UPDATE SKIP LOCKED)
    """
)
_CLAIM = text(
    """
    WITH open AS (
        SELECT id, url, secrets,
               CASE WHEN failures_in_row >= :probed_after THEN 1 ELSE :per_endpoint END
               - (SELECT count(*) FROM lanes WHERE endpoint_id = endpoints.id AND claim IS NOT NULL) AS room
        FROM endpoints WHERE id = ANY(CAST(:open AS uuid[]))
    ), due AS (
        SELECT lane.endpoint_id, lane.subject, open.url, open.secrets
        FROM open CROSS JOIN LATERAL (
            SELECT endpoint_id, subject, next_at FROM lanes
            WHERE endpoint_id = open.id AND claim IS NULL AND next_at <= :at
            ORDER BY next_at LIMIT greatest(open.room, 0) FOR UPDATE SKIP LOCKED
        ) AS lane
        ORDER BY lane.next_at LIMIT :room
    )
    UPDATE lanes SET claim = gen_random_uuid(), leased_until = :until FROM due
    WHERE lanes.endpoint_id = due.endpoint_id AND lanes.subject = due.subject
    RETURNING lanes.claim, lanes.endpoint_id, lanes.subject, due.url, due.secrets
    """
)
_HEADS = text(
    """
    SELECT lane.claim, head.id, head.tries, head.body
    FROM unnest(CAST(:claims AS uuid[]), CAST(:endpoints AS uuid[]), CAST(:subjects AS text[]))
         AS lane (claim, endpoint_id, subject)
    CROSS JOIN LATERAL (
        SELECT first.id, first.tries, first.place, events.body,
               sum(octet_length(events.body)) OVER (ORDER BY place) - octet_length(events.body) AS bytes_before
        FROM (
            SELECT id, tries, place FROM deliveries
            WHERE endpoint_id = lane.endpoint_id AND subject = lane.subject AND state = 'pending'
            ORDER BY place LIMIT :per_turn
        ) AS first JOIN events USING (place)
    ) AS head
    WHERE head.bytes_before < :bytes_per_turn
    ORDER BY head.place
    """
)
_NEXT_DUE = text(
    """
    SELECT id, greatest(lane.next_at, CASE WHEN failures_in_row >= :probed_after THEN probe_at END) AS next_at
    FROM endpoints CROSS JOIN LATERAL (
        SELECT min(next_at) AS next_at FROM lanes
        WHERE endpoint_id = endpoints.id AND claim IS NULL AND next_at IS NOT NULL
    ) AS lane
    WHERE disabled_reason IS NULL AND removed_at IS NULL AND lane.next_at IS NOT NULL
    """
)
_HELD = text(
    """
    SELECT lanes.claim FROM lanes
    JOIN unnest(CAST(:claims AS uuid[]), CAST(:endpoints AS uuid[]), CAST(:subjects AS text[]))
         AS held (claim, endpoint_id, subject) USING (endpoint_id, subject)
    WHERE lanes.claim = held.claim
    ORDER BY endpoint_id, subject FOR UPDATE OF lanes
    """
)
_RECORD = text(
    f"""
    UPDATE deliveries SET state = outcome.state, tries = outcome.tries, next_at = outcome.next_at,
        attempts = (CASE WHEN jsonb_array_length(attempts) >= {ATTEMPTS_KEPT} THEN attempts - 0 ELSE attempts END)
                   || CAST(outcome.attempt AS jsonb)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:tries AS integer[]),
                CAST(:next_ats AS timestamptz[]), CAST(:attempts AS text[]))
         AS outcome (id, state, tries, next_at, attempt)
    WHERE deliveries.id = outcome.id AND deliveries.state = 'pending'
    """
)
_GIVE_BACK = text(
    """
    UPDATE lanes SET claim = NULL, leased_until = NULL,
        next_at = CASE
            WHEN back.next_at IS NOT NULL THEN back.next_at
            WHEN EXISTS (SELECT FROM deliveries WHERE deliveries.endpoint_id = lanes.endpoint_id
                         AND deliveries.subject = lanes.subject AND state = 'pending') THEN :at
        END
    FROM unnest(CAST(:endpoints AS uuid[]), CAST(:subjects AS text[]), CAST(:next_ats AS timestamptz[]))
         AS back (endpoint_id, subject, next_at)
    WHERE lanes.endpoint_id = back.endpoint_id AND lanes.subject = back.subject
    """
)


class SqlClaims:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def claim(self, terms: Terms, at: datetime, room: int) -> Sequence[Claimed]:
        asked = {"probed_after": PROBED_AFTER, "at": at}
        open_ids = list((await self._connection.execute(_OPEN, asked)).scalars())
        if not open_ids:
            return []
        await self._connection.execute(_FREE, {"at": at})
        terms_of_claim = {"open": open_ids, "per_endpoint": terms.per_endpoint, "until": at + terms.lease, "room": room}
        lanes = (await self._connection.execute(_CLAIM, asked | terms_of_claim)).all()
        due = await self._heads({row.claim: (row.endpoint_id, row.subject) for row in lanes})
        return [
            Claimed(row.claim, row.endpoint_id, row.subject, row.url, secrets_of(row.secrets), due[row.claim])
            for row in lanes
        ]

    async def next_due(self) -> Mapping[UUID, datetime]:
        rows = await self._connection.execute(_NEXT_DUE, {"probed_after": PROBED_AFTER})
        return {row.id: row.next_at for row in rows}

    async def held(self, reports: Sequence[LaneReport]) -> Set[UUID]:
        lanes = {report.claim: (report.endpoint_id, report.subject) for report in reports}
        return set((await self._connection.execute(_HELD, _columns(lanes))).scalars())

    async def record(self, outcomes: Sequence[Outcome], lanes: Mapping[Lane, datetime | None], at: datetime) -> None:
        if outcomes:
            await self._connection.execute(_RECORD, _outcome_columns(outcomes))
        if lanes:
            columns = {
                "endpoints": [endpoint_id for endpoint_id, _ in lanes],
                "subjects": [subject for _, subject in lanes],
                "next_ats": list(lanes.values()),
            }
            await self._connection.execute(_GIVE_BACK, columns | {"at": at})

    async def _heads(self, lanes: Mapping[UUID, Lane]) -> Mapping[UUID, Sequence[Due]]:
        heads: dict[UUID, list[Due]] = defaultdict(list)
        if lanes:
            bounds = {"per_turn": PER_TURN, "bytes_per_turn": BYTES_PER_TURN}
            for row in await self._connection.execute(_HEADS, _columns(lanes) | bounds):
                heads[row.claim].append(Due(row.id, row.tries, bytes(row.body)))
        return heads


def _columns(lanes: Mapping[UUID, Lane]) -> dict[str, object]:
    return {
        "claims": list(lanes),
        "endpoints": [endpoint_id for endpoint_id, _ in lanes.values()],
        "subjects": [subject for _, subject in lanes.values()],
    }


def _outcome_columns(outcomes: Sequence[Outcome]) -> dict[str, object]:
    return {
        "ids": [outcome.delivery_id for outcome in outcomes],
        "states": [outcome.step.state.value for outcome in outcomes],
        "tries": [outcome.step.tries for outcome in outcomes],
        "next_ats": [outcome.step.next_at for outcome in outcomes],
        "attempts": [_attempt(outcome.attempt) for outcome in outcomes],
    }


def _attempt(attempt: Attempt) -> str:
    kept = {
        "at": attempt.at.isoformat(),
        "duration_ms": attempt.duration_ms,
        "status": attempt.status,
        "error": attempt.error,
        "answer_start": attempt.answer_start,
    }
    return json.dumps(kept)
