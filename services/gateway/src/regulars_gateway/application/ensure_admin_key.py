from __future__ import annotations

from regulars_gateway.application.ports import Begin
from regulars_gateway.domain import keys
from regulars_gateway.domain.keys import ApiKey
from regulars_kit.values import Clock, new_id


async def ensure_admin_key(secret: str, begin: Begin, now: Clock) -> None:
    """The key of the settings opens everything, and the one that stood there before opens nothing any more.

    One that was revoked over the API stays revoked: a start brings no leaked key back to life. Raises ValueError for
    a text that is no key.
    """
    if not keys.is_well_formed(secret):
        raise ValueError("the administrator's key is not a key: its checksum does not fit")
    key = ApiKey(
        id=new_id(),
        client=keys.ADMIN,
        name="administrator",
        prefix=secret[: keys.SHOWN_CHARS],
        scopes=frozenset({keys.EVERY_SCOPE}),
        stores=None,
        created_at=now(),
    )
    async with begin() as unit:
        await unit.keys.add_administrator(key, keys.digest_of(secret))
