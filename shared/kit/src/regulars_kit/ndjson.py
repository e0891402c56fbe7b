"""NDJSON in, NDJSON out, both streamed: one answer a line, while the body is still arriving."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from regulars_kit.limits import LIMITS
from regulars_kit.values import Refused

MEDIA_TYPE = "application/x-ndjson"


class LineTooLarge(Refused):
    """A line of a stream is longer than a line may be."""

    code: ClassVar[str] = "line_too_large"


class TooManyLines(Refused):
    """A stream has more lines than a stream may have; those before were answered, those after were not read."""

    code: ClassVar[str] = "too_many_lines"


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its number, from 1. `refusal` tells why its body was not kept."""

    number: int
    body: bytes
    refusal: Refused | None = None


async def lines_of(request: Request) -> AsyncIterator[Line]:
    """The lines of the body; blank ones are passed over and not counted. The last may lack its line break."""
    number = 0
    async for body in _cut(request.stream()):
        if body is not None and not body.strip():
            continue
        number += 1
        if number > LIMITS.stream_lines:
            yield Line(number, b"", TooManyLines(f"a stream may have at most {LIMITS.stream_lines} lines"))
            return
        yield Line(number, body or b"", None if body else _too_large())


async def groups_of(lines: AsyncIterator[Line], size: int) -> AsyncIterator[Sequence[Line]]:
    """The lines in groups of `size`; the last may be smaller."""
    group: list[Line] = []
    async for line in lines:
        group.append(line)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def answer(line: Line, status: int, body: dict[str, object]) -> bytes:
    """The answer to one line, as a line."""
    told = {"line": line.number, "status": status, "body": body}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class NdjsonResponse(Response):
    """Sends answers as they are made, and goes on making them while the client does not read.

    A client that sends its whole body before it reads would otherwise wait for us, and we for it. Starlette's
    StreamingResponse cannot do this: it listens for a disconnect, and so swallows the body that is still coming.
    """

    media_type = MEDIA_TYPE

    def __init__(self, answers: AsyncIterator[bytes]) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async with asyncio.TaskGroup() as group:
                # Unbounded, and yet bounded: a stream has at most 100,000 lines, and an answer is small.
                made: asyncio.Queue[bytes | None] = asyncio.Queue()
                group.create_task(self._make(made))
                while (piece := await made.get()) is not None:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _make(self, made: asyncio.Queue[bytes | None]) -> None:
        async for piece in self._answers:
            made.put_nowait(piece)
        made.put_nowait(None)


async def _cut(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes | None]:
    """The body cut at line breaks; None in the place of a line that is too long, which is never held in memory."""
    rest, is_dropping = b"", False
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for body in whole:
            yield None if is_dropping or len(body) > LIMITS.line_bytes else body
            is_dropping = False
        # One more for the carriage return that may end it.
        if len(rest) > LIMITS.line_bytes + 1:
            rest, is_dropping = b"", True
    if rest or is_dropping:
        yield None if is_dropping or len(rest) > LIMITS.line_bytes else rest


def _too_large() -> LineTooLarge:
    return LineTooLarge(f"a line may have at most {LIMITS.line_bytes} bytes")
