from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from regulars_gateway.application.ports import Begin, Call
from regulars_gateway.application.reading import key_of
from regulars_gateway.domain import keys
from regulars_gateway.domain.keys import ApiKey, Giver
from regulars_gateway.domain.refusals import InThePast
from regulars_kit.values import Clock, new_id


@dataclass(frozen=True, slots=True)
class WantedKey:
    """What is asked for. `stores` None: all; `expires_at` None: no end."""

    name: str
    scopes: Sequence[str]
    stores: frozenset[str] | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """`secret` is None when the call was made before: a key is shown once, and kept nowhere."""

    key: ApiKey
    secret: str | None


async def create_key(
    wanted: WantedKey, giver: Giver, known_scopes: Set[str], call: Call, begin: Begin, now: Clock
) -> NewKey:
    """Make a key for a client of its own. Raises `UnknownScope`, `NotYoursToGive`, `InThePast`."""
    at = now()
    keys.refuse_unknown(wanted.scopes, known_scopes)
    keys.refuse_what_is_not_held(giver, wanted.scopes, wanted.stores, known_scopes)
    if wanted.expires_at is not None and wanted.expires_at <= at:
        raise InThePast("the key would have ended already", field="/expires_at")
    key_id, secret = new_id(), keys.new_key()
    prefix, scopes = secret[: keys.SHOWN_CHARS], frozenset(wanted.scopes)
    made = ApiKey(key_id, f"key-{key_id}", wanted.name, prefix, scopes, wanted.stores, at, wanted.expires_at)
    async with begin() as unit:

        async def add() -> UUID:
            await unit.keys.add(made, keys.digest_of(secret))
            return made.id

        kept_id, replayed = await unit.once(call, add)
        return NewKey(await key_of(unit, kept_id), None if replayed else secret)
