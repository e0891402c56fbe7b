"""Templates in their versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_campaign.adapters.db.tables import templates
from regulars_campaign.domain.templates import Template, Text

# One writer per code at a time: two who add to the same one get two numbers.
_LOCK = text("SELECT pg_advisory_xact_lock(7411, hashtext(:code))")
_ADD = text(
    """
    INSERT INTO templates (id, version, code, subject, body, created_at)
    SELECT coalesce(max(newest.id::text)::uuid, :id), coalesce(max(newest.version), 0) + 1, :code, :subject, :body, :at
    FROM templates newest WHERE newest.code = :code
    RETURNING id, version, code, subject, body, created_at
    """
)


class SqlTemplates:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_version(self, template_id: UUID, code: str, text: Text, at: datetime) -> Template:
        await self._connection.execute(_LOCK, {"code": code})
        values = {"id": template_id, "code": code, "subject": text.subject, "body": text.body, "at": at}
        return Template(**(await self._connection.execute(_ADD, values)).mappings().one())

    async def newest(self, template_id: UUID) -> Template | None:
        return await self._one(select(templates).where(templates.c.id == template_id))

    async def newest_by_code(self, code: str) -> Template | None:
        return await self._one(select(templates).where(templates.c.code == code))

    async def versions(self, wanted: Collection[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], Template]:
        found = await self._all(select(templates).where(tuple_(templates.c.id, templates.c.version).in_(wanted)))
        return {(template.id, template.version): template for template in found}

    async def page(self, *, after: UUID | None, limit: int) -> Sequence[Template]:
        other = templates.alias("other")
        last = select(func.max(other.c.version)).where(other.c.id == templates.c.id).scalar_subquery()
        newest = select(templates).where(templates.c.version == last).order_by(templates.c.id)
        return await self._all((newest if after is None else newest.where(templates.c.id > after)).limit(limit))

    async def _one(self, query: Select[tuple[Any, ...]]) -> Template | None:
        found = await self._all(query.order_by(templates.c.version.desc()).limit(1))
        return found[0] if found else None

    async def _all(self, query: Select[tuple[Any, ...]]) -> Sequence[Template]:
        return [Template(**row) for row in (await self._connection.execute(query)).mappings()]
