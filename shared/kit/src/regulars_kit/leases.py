"""Work under a lease: a row says until when a process holds it, and the holder renews it while it works.

A process that dies stops renewing, and another takes over; one that was only slow finds its lease gone and stops.
All instants are the database's, so that no two machines' clocks are compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from regulars_kit.values import Unavailable

Outcome = TypeVar("Outcome")

LEASE_S = 60
"""How long a silent holder keeps its row; renewed three times as often."""


class LeaseLost(Exception):
    """Another process holds the row now, or it is gone: whatever was being done must not be written down."""


async def under_lease(
    work: Coroutine[Any, Any, Outcome], renew: Callable[[], Awaitable[bool]], *, every_s: float = LEASE_S / 3
) -> Outcome:
    """Await `work` and call `renew` meanwhile. Once `renew` says False, `work` is cancelled and `LeaseLost` raised."""
    working = asyncio.ensure_future(work)
    renewing = asyncio.ensure_future(_renew(renew, every_s))
    try:
        await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
            await asyncio.wait({working})
            renewing.result()  # raises what ended it
        return working.result()
    finally:
        for task in (working, renewing):
            task.cancel()
        await asyncio.gather(working, renewing, return_exceptions=True)


async def _renew(renew: Callable[[], Awaitable[bool]], every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            held = await renew()
        except Unavailable:
            continue  # the next one may get through before the lease runs out
        if not held:
            raise LeaseLost


async def pause(stop: asyncio.Event, seconds: float, woken: asyncio.Event | None = None) -> None:
    """Return after `seconds`, or sooner when `stop` or `woken` is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, woken) if event is not None]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
