"""One connection to a stranger's server, and one exchange at a time on it: HTTP/1.1, as little of it as a POST needs.

On the parser that uvicorn reads requests with: a general client takes ten times the processor's time per exchange.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import httptools

READ_AT_MOST = 64 * 1024
"""Bytes read of an answer's head, and of its body; a connection whose answer is longer is closed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `headers` by lower-case name, of a repeated one the last; `body` at most `READ_AT_MOST` bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ConnectionBroken(Exception):
    """The connection ended, or what came over it is no HTTP."""


class Exchange(asyncio.Protocol):
    """The connection's protocol. `has_answered`: a byte came since the last question."""

    def __init__(self) -> None:
        self.has_answered = False
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._keeps_alive = True
        self._begin()

    @property
    def is_reusable(self) -> bool:
        return self._keeps_alive and self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> Answer:
        """Send a request and await its answer. Raises `ConnectionBroken`."""
        if self._expiry is not None:
            self._expiry.cancel()
        if self._transport is None or self._transport.is_closing():
            raise ConnectionBroken("the connection has ended")
        self.has_answered = False
        self._begin()
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiter

    def rest(self, seconds: float) -> None:
        """Close the connection by itself unless it is used again before."""
        self._expiry = asyncio.get_running_loop().call_later(seconds, self.close)

    def close(self) -> None:
        """At once: what was not read or not written yet is of no use to anyone."""
        if self._expiry is not None:
            self._expiry.cancel()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # By its shape alone: uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.has_answered = True
        if self._waiter is None or self._waiter.done():
            self.close()  # nobody asked: what follows could be taken for another answer
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, ValueError, UnicodeError):
            self._fail("what came is no HTTP")
            return
        if not self._has_head:
            self._head_bytes += len(data)
            if self._head_bytes > READ_AT_MOST:
                self._fail("the answer's head has no end")

    def connection_lost(self, error: Exception | None) -> None:
        self._keeps_alive = False
        # Without a length the end of the connection is the end of the answer.
        if self._has_head and not self._has_length and error is None:
            self._finish()
        else:
            self._fail("the connection ended before the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        self._has_head = True
        self._has_length = "content-length" in self._headers or "transfer-encoding" in self._headers

    def on_body(self, part: bytes) -> None:
        self._body += part
        if len(self._body) >= READ_AT_MOST:
            self._keeps_alive = False
            self._finish()

    def on_message_complete(self) -> None:
        if self._status < 200:
            self._begin_answer()  # a note in between (RFC 9110): the answer follows
            return
        self._keeps_alive = self._keeps_alive and self._parser.should_keep_alive()
        self._finish()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._begin_answer()

    def _begin_answer(self) -> None:
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body = b""
        self._head_bytes = 0
        self._has_head = False
        self._has_length = False

    def _finish(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(Answer(self._status, self._headers, self._body[:READ_AT_MOST]))

    def _fail(self, why: str) -> None:
        self._keeps_alive = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionBroken(why))
        self.close()
