from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from regulars_gateway.application.ports import Begin
from regulars_gateway.domain.attempts import State
from regulars_gateway.domain.deliveries import Delivery


async def list_deliveries(
    begin: Begin, *, endpoint_id: UUID | None, state: State | None, before: UUID | None, limit: int
) -> tuple[Sequence[Delivery], UUID | None]:
    """The newest deliveries first, and before which the next page begins (None: it is the last)."""
    async with begin() as unit:
        found = await unit.deliveries.page(endpoint_id=endpoint_id, state=state, before=before, limit=limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None
