from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from regulars_gateway.application.ports import Begin
from regulars_gateway.domain.keys import ApiKey


async def list_keys(begin: Begin, *, before: UUID | None, limit: int) -> tuple[Sequence[ApiKey], UUID | None]:
    """The newest keys first, ended ones too, and before whom the next page begins (None: it is the last)."""
    async with begin() as unit:
        # One more than asked for tells whether there is a next page, without counting.
        found = await unit.keys.page(before=before, limit=limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None
