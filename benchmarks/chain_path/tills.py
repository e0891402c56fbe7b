"""The tills: purchases at fixed instants, whatever became of those before; `python -m chain_path.tills PLAN SALES`.

An open loop: each purchase is due so many seconds after the first, and its wait begins when it is due. A shop that
stalls is charged with everything that was due meanwhile; a loop that waits for an answer before it sends the next would
forgive it that. A process of its own, on plain sockets: at 200 a second it takes a few per cent of a core.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop

from purchase_path.measuring import Failed

TILLS = 64
"""Connections. A purchase that is due while all of them wait for an answer waits for the first one that gets it."""

LEAD_S = 1.0
_ANSWERED_WITHIN_S = 60.0
_HEADERS_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Sale:
    """One purchase of the load. Instants are Unix time in seconds."""

    customer: UUID
    due: float
    sent: float
    answered: float


def sell(
    folder: Path, port: int, key: str, rate: float, receipts: Sequence[tuple[UUID, dict[str, object]]]
) -> list[Sale]:
    """Put the load on the shop: `rate` purchases a second in the order given. Raises `Failed` for any but a 201."""
    plan, sales = folder / "plan.json", folder / "sales.json"
    bodies = [json.dumps(receipt, separators=(",", ":")) for _, receipt in receipts]
    plan.write_text(json.dumps({"port": port, "key": key, "rate": rate, "bodies": bodies}))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    command = [sys.executable, "-m", "chain_path.tills", str(plan), str(sales)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"the tills failed: {done.stderr[-2000:]}")
    told = json.loads(sales.read_text())
    if refused := [status for *_, status in told if status != 201]:
        raise Failed(f"of {len(told)} purchases {len(refused)} were refused, the first with {refused[0]}")
    return [
        Sale(customer, due, sent, answered)
        for (customer, _), (due, sent, answered, _) in zip(receipts, told, strict=True)
    ]


class _Till(asyncio.Protocol):
    """One connection that is kept open: a request, its answer, the next request."""

    def __init__(self, counter: _Counter) -> None:
        self._counter = counter
        self._transport: Any = None
        self._number = 0
        self._got = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def send(self, number: int, request: bytes) -> None:
        self._number = number
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(_HEADERS_END)
        if end < 0:
            return
        headers = bytes(self._got[:end]).lower()
        _, found, rest = headers.partition(_LENGTH)
        length = int(rest.partition(b"\r\n")[0]) if found else 0
        if len(self._got) >= end + len(_HEADERS_END) + length:
            status = int(headers.split(b" ", 2)[1])
            self._got.clear()
            self._counter.answered(self, self._number, status)

    def connection_lost(self, error: Exception | None) -> None:
        self._counter.broken(error)


class _Counter:
    """Gives what is due to a till that is free, and notes when it was sent and answered."""

    def __init__(self, requests: Sequence[bytes], rate: float) -> None:
        self._requests = requests
        self._rate = rate
        # In turn, so that no connection is idle for as long as a server bears with it.
        self._free: deque[_Till] = deque()
        self._waiting: deque[int] = deque()
        self._left = len(requests)
        self._done = asyncio.get_running_loop().create_future()
        self.sales = [[0.0, 0.0, 0.0, 0] for _ in requests]
        """Due, sent, answered, status."""

    async def work(self, port: int) -> None:
        """Raises `ConnectionError` when a connection is lost, `TimeoutError` when the last answers do not come."""
        loop = asyncio.get_running_loop()
        for _ in range(TILLS):
            self._free.append((await loop.create_connection(lambda: _Till(self), "127.0.0.1", port))[1])
        first = time.time() + LEAD_S
        for number in range(len(self._requests)):
            due = first + number / self._rate
            await _until(due)
            if self._done.done():
                break
            self.sales[number][0] = due
            self._waiting.append(number)
            self._send_next()
        await asyncio.wait_for(self._done, _ANSWERED_WITHIN_S)

    def answered(self, till: _Till, number: int, status: int) -> None:
        self.sales[number][2:] = time.time(), status
        self._free.append(till)
        self._left -= 1
        if not self._left and not self._done.done():
            self._done.set_result(None)
        self._send_next()

    def broken(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError(f"the shop closed a till's connection: {error}"))

    def _send_next(self) -> None:
        if self._waiting and self._free:
            number = self._waiting.popleft()
            self.sales[number][1] = time.time()
            self._free.popleft().send(number, self._requests[number])


async def _until(due: float) -> None:
    """At once when it is past, but never without a turn for the answers that have come."""
    await asyncio.sleep(max(0.0, due - time.time()))
    # The loop's timers are whole milliseconds, and may ring a little early.
    while time.time() < due:  # noqa: ASYNC110
        await asyncio.sleep(0)


def _request(body: str, key: str) -> bytes:
    content = body.encode()
    head = (
        "POST /v1/purchases HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def _work(plan: dict[str, Any]) -> list[list[float]]:
    counter = _Counter([_request(body, plan["key"]) for body in plan["bodies"]], plan["rate"])
    await counter.work(plan["port"])
    return counter.sales


def main() -> None:
    plan, sales = sys.argv[1:]
    told = json.loads(Path(plan).read_text())
    # No pause for garbage, of which there is none: it would be counted against the shop.
    gc.disable()
    Path(sales).write_text(json.dumps(uvloop.run(_work(told))))


if __name__ == "__main__":
    main()
