"""API keys within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_gateway.domain.keys import ApiKey, Grant

# To the minute: a write at each of a till's lookups would cost more than it tells.
_GRANT = text(
    """
    WITH used AS (
        UPDATE api_keys SET last_used_at = :at
        WHERE digest = :digest AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :at)
          AND (last_used_at IS NULL OR last_used_at < CAST(:at AS timestamptz) - interval '1 minute')
    )
    SELECT client, scopes, stores, expires_at FROM api_keys
    WHERE digest = :digest AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :at)
    """
)
_ADD = """
    INSERT INTO api_keys
        (id, digest, client, name, prefix, scopes, stores, is_from_settings, created_at, expires_at, revoked_at)
    VALUES (:id, :digest, :client, :name, :prefix, :scopes, :stores, :is_from_settings, :created_at, :expires_at,
            :revoked_at)
"""
_ADD_ONCE = text(_ADD + " ON CONFLICT (digest) DO NOTHING")
_REVOKE_OTHERS = text(
    "UPDATE api_keys SET revoked_at = :at WHERE is_from_settings AND digest <> :digest AND revoked_at IS NULL"
)
_COLUMNS = "id, client, name, prefix, scopes, stores, created_at, expires_at, revoked_at, last_used_at"
_PAGE = text(
    f"SELECT {_COLUMNS} FROM api_keys WHERE CAST(:before AS uuid) IS NULL OR id < :before ORDER BY id DESC LIMIT :limit"
)
_END = text("UPDATE api_keys SET expires_at = :expires_at, revoked_at = :revoked_at WHERE id = :id")


class SqlKeys:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def grant(self, digest: bytes, at: datetime) -> Grant | None:
        row = (await self._connection.execute(_GRANT, {"digest": digest, "at": at})).one_or_none()
        if row is None:
            return None
        return Grant(row.client, frozenset(row.scopes), _stores(row.stores), row.expires_at)

    async def add(self, key: ApiKey, digest: bytes) -> None:
        await self._connection.execute(text(_ADD), _row(key, digest, is_from_settings=False))

    async def add_administrator(self, key: ApiKey, digest: bytes) -> None:
        await self._connection.execute(_ADD_ONCE, _row(key, digest, is_from_settings=True))
        await self._connection.execute(_REVOKE_OTHERS, {"at": key.created_at, "digest": digest})

    async def load(self, key_id: UUID, *, lock: bool = False) -> ApiKey | None:
        query = f"SELECT {_COLUMNS} FROM api_keys WHERE id = :id" + (" FOR UPDATE" if lock else "")
        row = (await self._connection.execute(text(query), {"id": key_id})).one_or_none()
        return None if row is None else _key(row)

    async def page(self, *, before: UUID | None, limit: int) -> Sequence[ApiKey]:
        return [_key(row) for row in await self._connection.execute(_PAGE, {"before": before, "limit": limit})]

    async def end(self, key_id: UUID, *, expires_at: datetime | None, revoked_at: datetime | None) -> None:
        await self._connection.execute(_END, {"id": key_id, "expires_at": expires_at, "revoked_at": revoked_at})


def _row(key: ApiKey, digest: bytes, *, is_from_settings: bool) -> dict[str, object]:
    return {
        "id": key.id,
        "digest": digest,
        "client": key.client,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "stores": None if key.stores is None else sorted(key.stores),
        "is_from_settings": is_from_settings,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }


def _key(row: Row[Any]) -> ApiKey:
    fields = dict(row._mapping)
    return ApiKey(**{**fields, "scopes": frozenset(fields["scopes"]), "stores": _stores(fields["stores"])})


def _stores(stores: list[str] | None) -> frozenset[str] | None:
    return None if stores is None else frozenset(stores)
