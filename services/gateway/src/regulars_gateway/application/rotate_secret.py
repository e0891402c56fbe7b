from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from regulars_gateway.application.ports import Begin, Call
from regulars_gateway.application.reading import endpoint_of
from regulars_gateway.application.register_endpoint import NewEndpoint
from regulars_gateway.domain.endpoints import new_secret, with_new_secret
from regulars_kit.values import Clock


async def rotate_secret(endpoint_id: UUID, overlap: timedelta, call: Call, begin: Begin, now: Clock) -> NewEndpoint:
    """Sign by a new secret from now on, and for `overlap` by the old one too. Raises `UnknownEndpoint`."""
    at, fresh = now(), new_secret()
    async with begin() as unit:

        async def rotate() -> UUID:
            endpoint = await endpoint_of(unit, endpoint_id, lock=True)
            await unit.endpoints.save(with_new_secret(endpoint, fresh, at + overlap))
            return endpoint.id

        kept_id, replayed = await unit.once(call, rotate)
        return NewEndpoint(await endpoint_of(unit, kept_id), None if replayed else fresh.value)
