"""The loop that sends what is due: woken by what this process has triggered, and looking now and then for the rest."""

from __future__ import annotations

import asyncio

import structlog

from regulars_campaign.application.send_messages import MESSAGES_AT_ONCE, Post, send_messages
from regulars_kit.leases import pause
from regulars_kit.values import Unavailable

POLL_S = 1.0
"""How often it looks for messages that another process made due, and for those that wait for another try."""

log = structlog.get_logger("regulars.sender")


class Sender:
    """Any number of them may run side by side; each takes messages of its own."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that a message may be due. Call it in the sender's event loop, after the commit."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set; messages in hand are ended first. Survives a database that is away."""
        while not stop.is_set():
            self._woken.clear()
            try:
                if await send_messages(self._post) == MESSAGES_AT_ONCE:
                    continue
            except Unavailable as error:
                log.warning("sender waits for the database", detail=error.detail)
            await pause(stop, POLL_S, self._woken)
