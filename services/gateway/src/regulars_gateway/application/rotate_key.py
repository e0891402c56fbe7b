from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from regulars_gateway.application.create_key import NewKey
from regulars_gateway.application.ports import Begin, Call
from regulars_gateway.application.reading import key_of
from regulars_gateway.domain import keys
from regulars_gateway.domain.keys import Giver
from regulars_gateway.domain.refusals import KeyEnded
from regulars_kit.values import Clock, new_id


async def rotate_key(
    key_id: UUID, overlap: timedelta, giver: Giver, known_scopes: Set[str], call: Call, begin: Begin, now: Clock
) -> NewKey:
    """A new key for the same client, with the same rights; the old one ends after `overlap`.

    Raises `UnknownKey`, `KeyEnded`, and `NotYoursToGive`: who rotates a key holds it afterwards.
    """
    at = now()
    fresh_id, secret = new_id(), keys.new_key()
    async with begin() as unit:

        async def rotate() -> UUID:
            old = await key_of(unit, key_id, lock=True)
            if not old.is_live(at):
                raise KeyEnded("this key has ended: make another")
            keys.refuse_what_is_not_held(giver, old.scopes, old.stores, known_scopes)
            prefix = secret[: keys.SHOWN_CHARS]
            fresh = replace(old, id=fresh_id, prefix=prefix, created_at=at, last_used_at=None)
            await unit.keys.add(fresh, keys.digest_of(secret))
            ends_at = at + overlap
            await unit.keys.end(
                old.id, expires_at=ends_at if old.expires_at is None else min(ends_at, old.expires_at), revoked_at=None
            )
            return fresh_id

        kept_id, replayed = await unit.once(call, rotate)
        return NewKey(await key_of(unit, kept_id), None if replayed else secret)
