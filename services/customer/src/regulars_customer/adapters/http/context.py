"""What the routes need, put on the app by the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from regulars_customer.adapters.http.identities import Identities
from regulars_customer.application.ports import Reads, Transactions
from regulars_kit.values import Clock


@dataclass(frozen=True, slots=True)
class Context:
    begin: Transactions
    read: Reads
    identities: Identities
    now: Clock


async def context_of(request: Request) -> Context:
    """The context the bootstrap gave to the request's app."""
    context: Context = request.app.state.customer
    return context


Here = Annotated[Context, Depends(context_of)]
