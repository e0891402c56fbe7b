"""The product's own API as the sample speaks to it: NDJSON batches and single requests, patient while it is away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import httpx

Body = Mapping[str, object]
T = TypeVar("T")

# Half a minute in all: longer than a restart takes, short enough that a load whose shop is gone ends by itself.
PATIENCE_S = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0)
_TIMEOUT = httpx.Timeout(120.0, connect=5.0)


class LoadStopped(Exception):
    """The load cannot go on now; the message is one plain line. What was answered is kept: the next start goes on."""


class _Away(Exception):
    """The API or something behind it is away; worth another try."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said to one line or request. `code` is the stable code of a refusal, None when it was accepted."""

    status: int
    body: Body

    @property
    def code(self) -> str | None:
        """The problem document's code; the status, when it has none."""
        return None if self.status < 400 else str(self.body.get("code") or self.status)


class Api:
    """A client of one API under one key. Everything the sample sends may be sent again, so it retries freely."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        patience_s: Sequence[float] = PATIENCE_S,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx.AsyncClient(base_url=base_url, headers=headers, transport=transport, timeout=_TIMEOUT)
        self._patience_s = patience_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def batch(self, path: str, bodies: Sequence[Body]) -> list[Answer]:
        """Send one body a line; get one answer a line, in the same order."""
        content = b"\n".join(json.dumps(body, separators=(",", ":")).encode() for body in bodies) + b"\n"

        async def attempt() -> list[Answer]:
            response = await self._client.post(path, content=content, headers={"Content-Type": "application/x-ndjson"})
            _checked(response, path)
            answers = [_answer_of(json.loads(line)) for line in response.content.splitlines() if line.strip()]
            if len(answers) != len(bodies) or any(answer.status >= 500 for answer in answers):
                raise _Away(f"{path} did not answer every line")
            return answers

        return await self._patiently(attempt)

    async def send(self, method: str, path: str, body: Body, *, key: str | None = None) -> Answer:
        """Send one request, under an `Idempotency-Key`; a refusal of its content is an answer, not an error."""
        headers = {"Idempotency-Key": key} if key else {}

        async def attempt() -> Answer:
            response = await self._client.request(method, path, json=body, headers=headers)
            if response.status_code in (400, 404, 409, 422):
                return Answer(response.status_code, _body_of(response))
            return Answer(response.status_code, _checked(response, path))

        return await self._patiently(attempt)

    async def read(self, path: str, params: Mapping[str, str]) -> Body:
        """Get one document."""

        async def attempt() -> Body:
            return _checked(await self._client.get(path, params=params), path)

        return await self._patiently(attempt)

    async def text(self, path: str) -> str:
        """Get one page of text."""

        async def attempt() -> str:
            response = await self._client.get(path)
            _checked(response, path)
            return response.text

        return await self._patiently(attempt)

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        for wait_s in self._patience_s:
            try:
                return await attempt()
            except (httpx.TransportError, _Away):
                await asyncio.sleep(wait_s)
        try:
            return await attempt()
        except (httpx.TransportError, _Away) as away:
            raise LoadStopped(f"the sample waits: the API does not answer ({away}); the next start goes on") from away


def _checked(response: httpx.Response, path: str) -> Body:
    """The body of an accepted request, empty for a stream. Raises `_Away` when it may be tried again."""
    if response.status_code in (429, 502, 503, 504):
        raise _Away(f"{path} answered {response.status_code}")
    if response.is_error:
        said = _body_of(response).get("code") or "no code"
        raise LoadStopped(f"the sample stopped: {path} answered {response.status_code} ({said})")
    return _body_of(response)


def _body_of(response: httpx.Response) -> Body:
    if "json" not in response.headers.get("Content-Type", "") or "ndjson" in response.headers["Content-Type"]:
        return {}
    body = response.json()
    return body if isinstance(body, dict) else {}


def _answer_of(line: Mapping[str, object]) -> Answer:
    status, body = line["status"], line.get("body")
    return Answer(int(str(status)), body if isinstance(body, dict) else {})
