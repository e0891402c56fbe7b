"""Webhook endpoints within one transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_gateway.domain.endpoints import Endpoint, Secret
from regulars_gateway.domain.health import Health

_COLUMNS = (
    "id, url, types, description, secrets, created_at, disabled_reason, disabled_at,"
    " failures_in_row, failing_since, probe_at"
)
_ADD = text(
    f"""
    INSERT INTO endpoints ({_COLUMNS})
    VALUES (:id, :url, :types, :description, CAST(:secrets AS jsonb), :created_at, :disabled_reason, :disabled_at,
            :failures_in_row, :failing_since, :probe_at)
    """
)
_SAVE = text(
    """
    UPDATE endpoints SET url = :url, types = :types, description = :description, secrets = CAST(:secrets AS jsonb),
        disabled_reason = :disabled_reason, disabled_at = :disabled_at, failures_in_row = :failures_in_row,
        failing_since = :failing_since, probe_at = :probe_at
    WHERE id = :id
    """
)
_PAGE = text(
    f"""
    SELECT {_COLUMNS} FROM endpoints
    WHERE removed_at IS NULL AND (CAST(:after AS uuid) IS NULL OR id > :after) ORDER BY id LIMIT :limit
    """
)
# One at a time adds an endpoint, or two at once would both find room for one.
_COUNT_LOCK = text("SELECT pg_advisory_xact_lock(7401)")
_COUNT = text("SELECT count(*) FROM endpoints WHERE removed_at IS NULL")
_REMOVE = (
    # Locked in the order of everyone who locks lanes.
    text("SELECT 1 FROM lanes WHERE endpoint_id = :id ORDER BY endpoint_id, subject FOR UPDATE"),
    text("UPDATE endpoints SET removed_at = :at WHERE id = :id AND removed_at IS NULL"),
    text("UPDATE deliveries SET state = 'cancelled', next_at = NULL WHERE endpoint_id = :id AND state = 'pending'"),
    text("DELETE FROM lanes WHERE endpoint_id = :id"),
)
_HEALTH = text(
    """
    SELECT id, failures_in_row, failing_since, probe_at FROM endpoints
    WHERE id = ANY(CAST(:ids AS uuid[])) AND disabled_reason IS NULL AND removed_at IS NULL
      AND (failures_in_row > 0 OR id = ANY(CAST(:failed AS uuid[])))
    ORDER BY id FOR UPDATE
    """
)
_SAVE_HEALTH = text(
    """
    UPDATE endpoints SET failures_in_row = :failures_in_row, failing_since = :failing_since, probe_at = :probe_at
    WHERE id = :id
    """
)
_GIVE_UP = text("UPDATE endpoints SET disabled_reason = :reason, disabled_at = :at WHERE id = :id")


class SqlEndpoints:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, endpoint: Endpoint) -> None:
        await self._connection.execute(_ADD, _row(endpoint) | {"created_at": endpoint.created_at})

    async def load(self, endpoint_id: UUID, *, lock: bool = False) -> Endpoint | None:
        query = f"SELECT {_COLUMNS} FROM endpoints WHERE id = :id AND removed_at IS NULL"
        row = (
            await self._connection.execute(text(query + (" FOR UPDATE" if lock else "")), {"id": endpoint_id})
        ).one_or_none()
        return None if row is None else _endpoint(row)

    async def page(self, *, after: UUID | None, limit: int) -> Sequence[Endpoint]:
        return [_endpoint(row) for row in await self._connection.execute(_PAGE, {"after": after, "limit": limit})]

    async def count(self) -> int:
        await self._connection.execute(_COUNT_LOCK)
        return int(await self._connection.scalar(_COUNT) or 0)

    async def save(self, endpoint: Endpoint) -> None:
        await self._connection.execute(_SAVE, _row(endpoint))

    async def remove(self, endpoint_id: UUID, at: datetime) -> None:
        for statement in _REMOVE:
            await self._connection.execute(statement, {"id": endpoint_id, "at": at})

    async def health(self, endpoint_ids: Collection[UUID], failed: Collection[UUID]) -> Mapping[UUID, Health]:
        found = await self._connection.execute(_HEALTH, {"ids": list(endpoint_ids), "failed": list(failed)})
        return {row.id: Health(row.failures_in_row, row.failing_since, row.probe_at) for row in found}

    async def save_health(self, endpoint_id: UUID, health: Health) -> None:
        await self._connection.execute(_SAVE_HEALTH, {"id": endpoint_id, **_health_row(health)})

    async def give_up(self, endpoint_id: UUID, health: Health, reason: str, at: datetime) -> None:
        await self.save_health(endpoint_id, health)
        await self._connection.execute(_GIVE_UP, {"id": endpoint_id, "reason": reason, "at": at})


def secrets_of(kept: Sequence[Mapping[str, Any]]) -> tuple[Secret, ...]:
    """The secrets as the column keeps them."""
    return tuple(
        Secret(one["value"], None if one["until"] is None else datetime.fromisoformat(one["until"])) for one in kept
    )


def _row(endpoint: Endpoint) -> dict[str, object]:
    secrets = [
        {"value": secret.value, "until": None if secret.until is None else secret.until.isoformat()}
        for secret in endpoint.secrets
    ]
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "types": None if endpoint.types is None else sorted(endpoint.types),
        "description": endpoint.description,
        "secrets": json.dumps(secrets),
        "disabled_reason": endpoint.disabled_reason,
        "disabled_at": endpoint.disabled_at,
        **_health_row(endpoint.health),
    }


def _health_row(health: Health) -> dict[str, object]:
    return {
        "failures_in_row": health.failures_in_row,
        "failing_since": health.failing_since,
        "probe_at": health.probe_at,
    }


def _endpoint(row: Row[Any]) -> Endpoint:
    return Endpoint(
        id=row.id,
        url=row.url,
        types=None if row.types is None else frozenset(row.types),
        description=row.description,
        secrets=secrets_of(row.secrets),
        created_at=row.created_at,
        disabled_reason=row.disabled_reason,
        disabled_at=row.disabled_at,
        health=Health(row.failures_in_row, row.failing_since, row.probe_at),
    )
