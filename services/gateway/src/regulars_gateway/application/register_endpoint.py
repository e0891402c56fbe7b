from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass
from uuid import UUID

from regulars_gateway.application.ports import Begin, Call
from regulars_gateway.application.reading import endpoint_of
from regulars_gateway.domain import endpoints
from regulars_gateway.domain.endpoints import ENDPOINTS_AT_MOST, Endpoint, IsDenied
from regulars_gateway.domain.refusals import TooManyEndpoints
from regulars_kit.values import Clock, new_id


@dataclass(frozen=True, slots=True)
class WantedEndpoint:
    """`types` None: every event."""

    url: str
    types: Collection[str] | None
    description: str
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """`secret` is None when the call was made before: it is shown once."""

    endpoint: Endpoint
    secret: str | None


async def register_endpoint(
    wanted: WantedEndpoint, known_types: Set[str], is_denied: IsDenied, call: Call, begin: Begin, now: Clock
) -> NewEndpoint:
    """From now on the endpoint gets a webhook for each event it wants.

    Raises `BadUrl`, `AddressDenied`, `UnknownEventType`, `TooManyEndpoints`.
    """
    at, secret = now(), endpoints.new_secret()
    made = Endpoint(
        id=new_id(),
        url=endpoints.checked_url(wanted.url, is_denied),
        types=endpoints.checked_types(wanted.types, known_types),
        description=wanted.description,
        secrets=(secret,),
        created_at=at,
    )
    made = made if wanted.is_enabled else endpoints.disabled(made, "by_hand", at)
    async with begin() as unit:

        async def add() -> UUID:
            if await unit.endpoints.count() >= ENDPOINTS_AT_MOST:
                raise TooManyEndpoints(f"there are {ENDPOINTS_AT_MOST} endpoints, which is the most there may be")
            await unit.endpoints.add(made)
            return made.id

        kept_id, replayed = await unit.once(call, add)
        return NewEndpoint(await endpoint_of(unit, kept_id), None if replayed else secret.value)
