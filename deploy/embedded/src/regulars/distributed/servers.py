"""PostgreSQL and Kafka as the supervisor sees them: two more children that are started again when they end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

_LOOK_EVERY_S = 0.2


class Server(Protocol):
    """What `PostgresServer` and `KafkaBroker` have in common."""

    @property
    def log_path(self) -> Path: ...
    @property
    def is_running(self) -> bool: ...
    @property
    def pid(self) -> int: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Kept:
    """A server under its name. Its first start is the main thread's; later ones hang on the loop's threads."""

    def __init__(self, name: str, server: Server) -> None:
        self.name = name
        self._server = server
        # One thread at a time has it in hand: what is being ended is not gone before its `stop` says so.
        self._in_hand = asyncio.Lock()

    @property
    def log_path(self) -> Path:
        return self._server.log_path

    @property
    def pid(self) -> int | None:
        return self._server.pid if self._server.is_running else None

    async def start(self) -> None:
        """Raises `CannotStart`."""
        async with self._in_hand:
            if not self._server.is_running:
                # In a thread, since recovery takes time. The loop's threads live as long as the loop.
                await asyncio.to_thread(self._server.start)

    async def until_ended(self) -> str:
        while self._server.is_running:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_EVERY_S)
        async with self._in_hand:
            return "it ended"

    async def end(self) -> None:
        async with self._in_hand:
            await asyncio.to_thread(self._server.stop)
