from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from regulars_gateway.application.ports import Begin
from regulars_gateway.application.reading import endpoint_of
from regulars_gateway.domain.endpoints import Endpoint

Change = Callable[[Endpoint], Endpoint]


async def change_endpoint(endpoint_id: UUID, change: Change, begin: Begin) -> Endpoint:
    """The endpoint as it is from now on; what is pending goes to its new address. Raises `UnknownEndpoint`."""
    async with begin() as unit:
        endpoint = change(await endpoint_of(unit, endpoint_id, lock=True))
        await unit.endpoints.save(endpoint)
    return endpoint
