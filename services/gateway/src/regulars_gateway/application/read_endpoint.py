from __future__ import annotations

from uuid import UUID

from regulars_gateway.application.ports import Begin
from regulars_gateway.application.reading import endpoint_of
from regulars_gateway.domain.endpoints import Endpoint


async def read_endpoint(endpoint_id: UUID, begin: Begin) -> Endpoint:
    """Raises `UnknownEndpoint`."""
    async with begin() as unit:
        return await endpoint_of(unit, endpoint_id)
