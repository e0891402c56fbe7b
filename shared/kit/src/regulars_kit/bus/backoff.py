"""Waiting between tries: longer each time, never all at the same instant, and never longer than a stop takes."""

from __future__ import annotations

import asyncio
import random


class Backoff:
    """Doubles from `first_s` to `most_s`, with jitter of up to half, so that many clients do not return as one."""

    def __init__(self, first_s: float = 0.1, most_s: float = 30.0) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._failures = 0

    def reset(self) -> None:
        self._failures = 0

    def next_s(self) -> float:
        # 2 ** 16 first steps are beyond any cap in use; without a bound the power would grow for ever.
        whole = min(self._most_s, self._first_s * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return whole * random.uniform(0.5, 1.0)

    async def pause(self, stop: asyncio.Event) -> None:
        """Wait for the next delay, or until `stop` is set."""
        await happened(stop, self.next_s())


async def happened(event: asyncio.Event, timeout_s: float) -> bool:
    """True as soon as the event is set, False when it was not within the time."""
    if event.is_set():
        return True
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except TimeoutError:
        return False
    return True
