"""What the routes need, put on the app by the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from regulars_kit.auth import Principal, requires
from regulars_scoring.application.ports import House, Reads, Transactions


@dataclass(frozen=True, slots=True)
class Context:
    begin: Transactions
    read: Reads
    house: House


async def context_of(request: Request) -> Context:
    """The context the bootstrap gave to the request's app."""
    context: Context = request.app.state.scoring
    return context


Here = Annotated[Context, Depends(context_of)]
Reader = Annotated[Principal, Depends(requires("scores:read"))]
