from __future__ import annotations

from uuid import UUID

from regulars_gateway.application.ports import Begin
from regulars_gateway.application.reading import endpoint_of
from regulars_kit.values import Clock


async def remove_endpoint(endpoint_id: UUID, begin: Begin, now: Clock) -> None:
    """The endpoint is no more, and what was still due to it is cancelled. Raises `UnknownEndpoint`."""
    async with begin() as unit:
        await endpoint_of(unit, endpoint_id)
        await unit.endpoints.remove(endpoint_id, now())
