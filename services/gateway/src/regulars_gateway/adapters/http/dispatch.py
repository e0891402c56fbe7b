"""Which service answers a path: read off the services' own OpenAPI documents, so that no table is kept by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from regulars_kit.problems import Problem

# Every service has these; which one is meant stands in the id (`loyalty-0197…`) or in the query.
_BY_ID = ("jobs", "dead-letters")
_NOT_FOUND = Problem(404, "not_found", "There is nothing at this path; /docs shows what there is.")


class ServiceMissing(Exception):
    """A list that each service keeps for itself was asked for without saying whose."""


class Dispatch:
    """An ASGI app over the services' apps. `documents`: service name -> its OpenAPI document.

    `pages`, by their exact paths, belong to no service.
    """

    def __init__(
        self,
        apps: Mapping[str, ASGIApp],
        documents: Mapping[str, Mapping[str, Any]],
        pages: Mapping[str, ASGIApp] | None = None,
    ) -> None:
        self._apps = apps
        self._pages = pages or {}
        self._prefixes = routes_of(documents)
        self._longest = 1 + max(map(len, self._prefixes), default=0)

    def service_of(self, path: str, query: bytes = b"") -> str | None:
        """The service that answers the path, None when no one does. Raises `ServiceMissing`."""
        segments = _segments(path)
        if segments[:1] != ["v1"]:
            return None
        if len(segments) > 1 and segments[1] in _BY_ID:
            return self._named(segments[2:], query)
        for length in range(min(len(segments), self._longest), 1, -1):
            if service := self._prefixes.get(tuple(segments[1:length])):
                return service
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            service = self.service_of(scope["path"], scope["query_string"])
        except ServiceMissing:
            names = ", ".join(sorted(self._apps))
            answer: ASGIApp = Problem(422, "service_required", f"Say whose: ?service= one of {names}.").response()
        else:
            answer = self._apps[service] if service else self._pages.get(scope["path"]) or _NOT_FOUND.response()
        await answer(scope, receive, send)

    def _named(self, rest: list[str], query: bytes) -> str | None:
        if rest:
            name = rest[0].partition("-")[0]
            return name if name in self._apps else None
        asked = parse_qs(query.decode("latin-1")).get("service", [""])[-1]
        if asked not in self._apps:
            raise ServiceMissing
        return asked


def routes_of(documents: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, ...], str]:
    """The literal beginnings of all paths under /v1 -> service. Raises `ValueError` when two services claim one."""
    found: dict[tuple[str, ...], str] = {}
    for service, document in documents.items():
        for prefix in _prefixes(document):
            if found.setdefault(prefix, service) != service:
                raise ValueError(f"/v1/{'/'.join(prefix)} is claimed by {found[prefix]} and by {service}")
    return found


def _prefixes(document: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for path in document["paths"]:
        segments = _segments(path)
        if segments[0] != "v1" or segments[1] in _BY_ID:
            continue
        literal = next((n for n, segment in enumerate(segments) if segment.startswith("{")), len(segments))
        yield tuple(segments[1:literal])


def _segments(path: str) -> list[str]:
    """`/v1/purchases:batch` -> v1, purchases, batch: an action belongs to the collection before its colon."""
    return path.removeprefix("/").replace(":", "/").split("/")
