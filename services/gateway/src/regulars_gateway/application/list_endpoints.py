from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from regulars_gateway.application.ports import Begin
from regulars_gateway.domain.endpoints import Endpoint


async def list_endpoints(begin: Begin, *, after: UUID | None, limit: int) -> tuple[Sequence[Endpoint], UUID | None]:
    """The oldest endpoints first, and after whom the next page begins (None: it is the last)."""
    async with begin() as unit:
        found = await unit.endpoints.page(after=after, limit=limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None
