"""What the routes need, put on the app by the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from regulars_campaign.application.ports import Now, Renderer, Transactions
from regulars_campaign.domain.campaigns import Channel


@dataclass(frozen=True, slots=True)
class Context:
    """`begin` wakes the relay after each commit, `read` does not. `channels` are those that have a provider."""

    begin: Transactions
    read: Transactions
    renderer: Renderer
    channels: frozenset[Channel]
    now: Now


async def context_of(request: Request) -> Context:
    """The context the bootstrap gave to the request's app."""
    context: Context = request.app.state.campaign
    return context


Here = Annotated[Context, Depends(context_of)]
