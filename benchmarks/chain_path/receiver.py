"""The partner: thanks for every webhook and notes when it came; `python -m chain_path.receiver PORT FILE`.

A process of its own that reads as little as it can, since it shares the cores with what it measures: no signature is
checked (the tests do that), and of an event only the head is kept. `GET /` counts the webhooks; what came is written to
the file when the process is told to end (SIGTERM), a line each.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import uvloop

from purchase_path.server import free_port, python_server

_HEADERS_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_THANKS = b"HTTP/1.1 204 No Content\r\n\r\n"
_HEAD_BYTES = 400
"""Of the event: more than its id, source, type and subject take."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A webhook that came; `at` is Unix time in seconds."""

    at: float
    type: str
    subject: UUID


@dataclass(frozen=True, slots=True)
class Receiver:
    """`arrivals` once the block of `receiver` has ended."""

    port: int
    file: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def count(self) -> int:
        """How many webhooks have come."""
        return int(httpx.get(self.url, trust_env=False).text)

    def arrivals(self) -> list[Arrival]:
        return [_arrival(line) for line in self.file.read_text().splitlines()]


@contextmanager
def receiver(folder: Path) -> Iterator[Receiver]:
    """A partner who listens until the block ends. Raises `Failed`."""
    partner = Receiver(free_port(), folder / "arrivals")
    environment = {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    arguments = ["-m", "chain_path.receiver", str(partner.port), str(partner.file)]
    with python_server(arguments, environment, partner.url, folder / "receiver.log"):
        yield partner


def _arrival(line: str) -> Arrival:
    at, type_, subject = line.split()
    return Arrival(float(at), type_, UUID(subject))


class _Ear(asyncio.Protocol):
    """One connection of the gateway's."""

    def __init__(self, heard: list[tuple[float, bytes]]) -> None:
        self._heard = heard
        self._got = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(_HEADERS_END)
        if end < 0:
            return
        body = end + len(_HEADERS_END)
        _, found, rest = bytes(self._got[:end]).lower().partition(_LENGTH)
        if found and len(self._got) < body + int(rest.partition(b"\r\n")[0]):
            return
        if self._got.startswith(b"POST"):
            self._heard.append((time.time(), bytes(self._got[body : body + _HEAD_BYTES])))
            self._transport.write(_THANKS)
        else:
            count = str(len(self._heard))
            self._transport.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(count)}\r\n\r\n{count}".encode())
        self._got.clear()


async def _listen(port: int) -> list[tuple[float, bytes]]:
    """What was heard until SIGTERM."""
    heard: list[tuple[float, bytes]] = []
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(lambda: _Ear(heard), "127.0.0.1", port)
    await stopped.wait()
    server.close()
    return heard


def _field(head: bytes, name: bytes) -> str:
    """A text of the envelope, which stands before the data."""
    rest = head.partition(b'"' + name + b'":')[2].lstrip()
    return str(json.JSONDecoder().raw_decode(rest.decode(errors="replace"))[0])


def main(arguments: Sequence[str]) -> None:
    port, file = arguments
    gc.disable()
    heard = uvloop.run(_listen(int(port)))
    lines = (f"{at!r} {_field(head, b'type')} {_field(head, b'subject')}\n" for at, head in heard)
    Path(file).write_text("".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
