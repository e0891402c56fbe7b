"""A shop that can be opened, closed and killed: `regulars up` as a process of its own, on a home of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from regulars.postgres import PostgresServer
from regulars.postmaster import servers_on
from system.processes import command_of, descendants
from system.running import Running, until

OPENS_WITHIN_S = 120.0


class Shop(Running):
    """`open` and `kill` may follow each other as often as one likes."""

    command = ("up", "--sample", "none")
    closes_within_s = 60.0

    async def until_ready(self) -> None:
        async with httpx.AsyncClient(base_url=self.url, timeout=OPENS_WITHIN_S, trust_env=False) as client:

            async def is_ready() -> bool:
                assert self.process.poll() is None, self.log
                with suppress(httpx.TransportError):
                    return (await client.get("/readyz")).status_code == 200
                return False

            await until(is_ready, "the shop does not open", OPENS_WITHIN_S)

    def kill(self) -> None:
        """SIGKILL to the whole tree, PostgreSQL first: it is to have no time for a checkpoint."""
        for pid in reversed(self.pids()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def is_gone(self) -> bool:
        """Whether neither the process is left nor any PostgreSQL on its data."""
        return self.process.poll() is not None and not servers_on(self.postgres_dir)

    def postmaster(self) -> int:
        """The number of PostgreSQL's first process."""
        return int((self.postgres_dir / "postmaster.pid").read_text().split()[0])

    async def behind(self) -> int:
        """The number of the process that does what follows from requests, once it is there."""

        def found() -> list[int]:
            return [pid for pid in descendants(self.process.pid) if b"regulars.behind" in command_of(pid)]

        async def is_there() -> bool:
            return bool(found())

        await until(is_there, "there is no process behind")
        return found()[0]

    def _postgres(self) -> dict[str, Any]:
        return {"host": str(PostgresServer(self.postgres_dir).socket_dir)}


@asynccontextmanager
async def an_open_shop(home: Path, environment: Mapping[str, str] | None = None) -> AsyncIterator[Shop]:
    """A shop that answers, on a home that may be new. Nothing of it is left at the end."""
    shop = Shop(home, environment)
    shop.open()
    try:
        await shop.until_ready()
        yield shop
    finally:
        if shop.process.poll() is None:
            shop.kill()
