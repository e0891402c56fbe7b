"""The feed's sequencer: numbers are given after the commit, by one process at a time.

Drawn inside the transactions that take the events, they would show up out of order, and a reader would pass over the
late ones.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from regulars_gateway.application.ports import Begin
from regulars_kit.values import Unavailable

AT_ONCE = 2_000
POLL_S = 0.5
"""The safety net behind the wake-ups, and how soon this process takes over from one that ended."""

AWAY_S = 1.0


async def number_events(begin: Begin) -> int:
    """Give the committed events their places in the feed; how many got one, 0 while another process does it."""
    numbered = 0
    while True:
        async with begin() as unit:
            more = await unit.feed.number(AT_ONCE)
        numbered += more
        if more < AT_ONCE:
            return numbered


class Sequencer:
    """`wake` it, in its event loop, after the commit of new events."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Number what comes until `stop`."""
        stopping = asyncio.create_task(self._wake_at(stop))
        try:
            while not stop.is_set():
                self._woken.clear()
                wait_s = POLL_S
                try:
                    await number_events(self._begin)
                except Unavailable:
                    wait_s = AWAY_S
                await self._rest(wait_s)
        finally:
            stopping.cancel()

    async def _rest(self, wait_s: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), wait_s)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._woken.set()
