"""A partner's receiver: a real server on 127.0.0.1 that keeps what it gets and answers as it is told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request as it came; `at` is the loop's time, `connection` tells which connection it came by."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    connection: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


@dataclass(frozen=True, slots=True)
class Reply:
    """`status` None: the connection is reset instead."""

    status: int | None = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Behaviour = Callable[[Webhook], Awaitable[Reply]]


async def thanks(webhook: Webhook) -> Reply:
    return Reply()


def always(reply: Reply) -> Behaviour:
    async def answer(webhook: Webhook) -> Reply:
        return reply

    return answer


def in_turn(*replies: Reply) -> Behaviour:
    """Each of the replies once, the last one ever after."""
    left = list(replies)

    async def answer(webhook: Webhook) -> Reply:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


class Receiver:
    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.got: list[Webhook] = []
        self.port = 0
        self.connections = 0
        self._changed = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    async def has(self, number: int, within_s: float = 20) -> list[Webhook]:
        """Return once that many webhooks have come."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: len(self.got) >= number)
        return self.got

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    webhook = await self._read(reader, number)
                    async with self._changed:
                        self.got.append(webhook)
                        self._changed.notify_all()
                    if not await self._answer(webhook, writer):
                        return
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, number: int) -> Webhook:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        return Webhook(first.split(" ")[1], headers, body, asyncio.get_running_loop().time(), number)

    async def _answer(self, webhook: Webhook, writer: asyncio.StreamWriter) -> bool:
        reply = await self.behaviour(webhook)
        if reply.status is None:
            writer.transport.abort()
            return False
        lines = [f"HTTP/1.1 {reply.status} Said", *(f"{name}: {value}" for name, value in reply.headers.items())]
        lines += [] if reply.status == 204 else [f"Content-Length: {len(reply.body)}"]
        writer.write("\r\n".join([*lines, "", ""]).encode() + reply.body)
        await writer.drain()
        return True


@asynccontextmanager
async def a_receiver(behaviour: Behaviour = thanks) -> AsyncIterator[Receiver]:
    receiver = Receiver(behaviour)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(receiver.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
