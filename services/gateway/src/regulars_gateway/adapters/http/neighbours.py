"""The services behind the door, by their own OpenAPI documents: read in this process, or fetched from each."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpcore

from regulars_kit.auth import PUBLIC
from regulars_kit.http import OPENAPI_PATH, SCOPE_FIELD
from regulars_kit.values import Unavailable

Document = dict[str, Any]
Read = Callable[[], Awaitable[Document]]
"""Gets a service's document. Raises `Unavailable` while it cannot be had."""

FRESH_S = 60.0
"""As long as a document is taken as it is: a service of a newer release shows its new routes within a minute."""

_TIMEOUT_S = 5.0
_INTERNAL = "internal:"


class Neighbours:
    """Documents by service, each fetched when it is first needed and again when it is old; the last one stays."""

    def __init__(self, readers: Mapping[str, Read], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._readers = dict(readers)
        self._monotonic = monotonic
        self._known: dict[str, tuple[Document, float]] = {}

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._readers)

    async def documents(self) -> Mapping[str, Document]:
        """All that can be had now; a service that was never reached is missing."""
        await asyncio.gather(*(self._refresh(name) for name in self._readers))
        return {name: self._known[name][0] for name in self._readers if name in self._known}

    async def scopes_of(self, service: str) -> frozenset[str]:
        """The scopes that keys may hold for a service. Raises `Unavailable` while it was never reached."""
        await self._refresh(service)
        if service not in self._known:
            raise Unavailable(f"the service {service} is away; try again")
        return scopes_in(self._known[service][0])

    async def all_scopes(self) -> tuple[frozenset[str], bool]:
        """The scopes of all services, and whether all of them were reached."""
        documents = await self.documents()
        scopes = frozenset(scope for document in documents.values() for scope in scopes_in(document))
        return scopes, documents.keys() == self._readers.keys()

    async def _refresh(self, name: str) -> None:
        known = self._known.get(name)
        if known is not None and self._monotonic() - known[1] < FRESH_S:
            return
        try:
            self._known[name] = (await self._readers[name](), self._monotonic())
        except Unavailable:
            if known is not None:
                # Asked again in a minute, not at each request.
                self._known[name] = (known[0], self._monotonic())


def scopes_in(document: Mapping[str, Any]) -> frozenset[str]:
    """The scopes that a document's operations ask for, without `public` and those between services."""
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    asked = {operation.get(SCOPE_FIELD) for operation in operations if isinstance(operation, dict)}
    return frozenset(scope for scope in asked if scope and scope != PUBLIC and not scope.startswith(_INTERNAL))


def in_process(document: Callable[[], Document]) -> Read:
    """A service of this process."""

    async def read() -> Document:
        return document()

    return read


def over_http(base_url: str) -> Read:
    """A service at its own address, inside the operator's network."""
    url = base_url.rstrip("/") + OPENAPI_PATH

    async def read() -> Document:
        try:
            async with asyncio.timeout(_TIMEOUT_S), httpcore.AsyncConnectionPool() as pool:
                answer = await pool.request("GET", url)
            document = json.loads(answer.content)
        except (OSError, TimeoutError, ValueError, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Unavailable("the service is away; try again") from error
        if answer.status != 200 or not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
            raise Unavailable("the service shows no document; try again")
        return document

    return read
