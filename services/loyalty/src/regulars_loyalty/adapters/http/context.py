"""What the routes need, put on the app by the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from regulars_kit.values import Clock
from regulars_loyalty.adapters.http.batching import Batcher
from regulars_loyalty.adapters.http.identities import Identities
from regulars_loyalty.application.ports import Begin


@dataclass(frozen=True, slots=True)
class Context:
    """`begin` wakes the relay after each commit, `read` does not: nothing is announced by those who only read."""

    begin: Begin
    read: Begin
    purchases: Batcher
    identities: Identities
    now: Clock


async def context_of(request: Request) -> Context:
    """The context the bootstrap gave to the request's app."""
    context: Context = request.app.state.loyalty
    return context


Here = Annotated[Context, Depends(context_of)]
