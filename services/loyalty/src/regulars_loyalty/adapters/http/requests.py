"""The part that every write but a purchase's has in common: who asks, what exactly, and when it happened."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from starlette.requests import Request as HttpRequest

from regulars_kit.auth import Principal
from regulars_kit.idempotency import content_hash
from regulars_loyalty.adapters.http.context import Context
from regulars_loyalty.application.commands import Request


async def content_of(request: HttpRequest, kind: str, about: UUID | None = None) -> bytes:
    """The hash by which a retry is known (P8): of the validated body as it was sent, and what the address adds.

    `kind` keeps a key that was used for one kind of write from answering another.
    """
    body = await request.json() if await request.body() else {}
    return content_hash({"kind": kind, "about": about and str(about), "body": body})


def request_of(
    principal: Principal,
    content: bytes,
    occurred_at: datetime | None,
    here: Context,
    *,
    key: str | None = None,
    dry_run: bool = False,
) -> Request:
    return Request(principal.client, key, content, occurred_at or here.now(), dry_run, principal.stores)
