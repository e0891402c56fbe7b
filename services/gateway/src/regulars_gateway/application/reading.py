"""The one way to a key, an endpoint, a delivery: there, or a refusal."""

from __future__ import annotations

from uuid import UUID

from regulars_gateway.application.ports import Unit
from regulars_gateway.domain.deliveries import Delivery
from regulars_gateway.domain.endpoints import Endpoint
from regulars_gateway.domain.keys import ApiKey
from regulars_gateway.domain.refusals import UnknownDelivery, UnknownEndpoint, UnknownKey


async def key_of(unit: Unit, key_id: UUID, *, lock: bool = False) -> ApiKey:
    """Raises `UnknownKey`."""
    key = await unit.keys.load(key_id, lock=lock)
    if key is None:
        raise UnknownKey("no key has this id")
    return key


async def endpoint_of(unit: Unit, endpoint_id: UUID, *, lock: bool = False) -> Endpoint:
    """Raises `UnknownEndpoint`."""
    endpoint = await unit.endpoints.load(endpoint_id, lock=lock)
    if endpoint is None:
        raise UnknownEndpoint("no webhook endpoint has this id")
    return endpoint


async def delivery_of(unit: Unit, delivery_id: UUID) -> Delivery:
    """Raises `UnknownDelivery`."""
    delivery = await unit.deliveries.load(delivery_id)
    if delivery is None:
        raise UnknownDelivery("no delivery has this id")
    return delivery
