"""What the routes need, put on the app by the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from regulars_gateway.application.ping_endpoint import MakePing
from regulars_gateway.application.ports import Begin, Call, Neighbours, Send
from regulars_gateway.domain.endpoints import IsDenied
from regulars_gateway.domain.keys import Giver
from regulars_kit.auth import Principal
from regulars_kit.idempotency import content_hash
from regulars_kit.values import Clock, Unavailable


@dataclass(frozen=True, slots=True)
class Context:
    """`event_types`: all that are published. `more_scopes`: what the settings say keys may hold besides."""

    begin: Begin
    now: Clock
    neighbours: Neighbours
    event_types: frozenset[str]
    more_scopes: frozenset[str]
    is_denied: IsDenied
    send: Send
    ping: MakePing

    async def known_scopes(self, wanted: frozenset[str]) -> frozenset[str]:
        """All scopes. Raises `Unavailable` when one of the wanted may be of a service that was not reached."""
        known, complete = await self.neighbours.all_scopes()
        known |= self.more_scopes
        if not complete and not wanted <= known:
            raise Unavailable("not all services could be asked for their scopes; try again")
        return known


async def context_of(request: Request) -> Context:
    """The context the bootstrap gave to the request's app."""
    context: Context = request.app.state.gateway
    return context


Here = Annotated[Context, Depends(context_of)]


async def call_of(request: Request, principal: Principal, key: str) -> Call:
    """The request as one that may come twice. Its path is in the hash: the same key elsewhere is another call."""
    content = await request.json() if await request.body() else None
    return Call(principal.client, key, content_hash([request.url.path, content]))


def giver_of(principal: Principal) -> Giver:
    return Giver(principal.client, principal.scopes, principal.stores)
