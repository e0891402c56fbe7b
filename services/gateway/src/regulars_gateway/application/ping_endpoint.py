from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from regulars_gateway.application.ports import Begin, Send
from regulars_gateway.application.reading import endpoint_of
from regulars_gateway.domain.attempts import Attempt
from regulars_gateway.domain.endpoints import live_secrets
from regulars_kit.values import Clock, new_id

MakePing = Callable[[UUID, UUID, datetime], bytes]
"""The body of a ping (its id, the endpoint's, when): a CloudEvent of a type that nothing else has."""


async def ping_endpoint(endpoint_id: UUID, make: MakePing, send: Send, begin: Begin, now: Clock) -> Attempt:
    """Send a signed test event at once, and only once; what came of it. Raises `UnknownEndpoint`."""
    async with begin() as unit:
        endpoint = await endpoint_of(unit, endpoint_id)
    ping_id, at = new_id(), now()
    return await send(endpoint.url, ping_id, make(ping_id, endpoint.id, at), live_secrets(endpoint.secrets, at))
