from __future__ import annotations

from uuid import UUID

from regulars_gateway.application.ports import Begin
from regulars_gateway.application.reading import key_of
from regulars_kit.values import Clock


async def revoke_key(key_id: UUID, begin: Begin, now: Clock) -> None:
    """From now on the key opens nothing; every door knows within five seconds. Raises `UnknownKey`."""
    async with begin() as unit:
        key = await key_of(unit, key_id, lock=True)
        if key.revoked_at is None:
            await unit.keys.end(key.id, expires_at=key.expires_at, revoked_at=now())
