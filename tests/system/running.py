"""What a shop of one process and one of many have in common: a `regulars` command, running on a home of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from regulars.cluster import SUPERUSER
from system.processes import descendants

LOOK_EVERY_S = 0.05


class Running(ABC):
    """One home and one port, on which the process may be started and ended as often as one likes.

    `command` is what follows `regulars`, without home and port.
    """

    command: Sequence[str]
    closes_within_s: float

    def __init__(self, home: Path, environment: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.environment = {**os.environ, **(environment or {})}
        self.port = a_free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def postgres_dir(self) -> Path:
        return self.home / "postgres"

    @property
    def log(self) -> str:
        """What every run has printed."""
        return self._log_path.read_text(errors="replace")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it was never opened"
        return self._process

    def open(self) -> None:
        """Start the process and return at once; `until_ready` waits for it."""
        where = ["--home", str(self.home), "--port", str(self.port)]
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "regulars", *self.command, *where],
                stdout=log,
                stderr=log,
                process_group=0,
                env=self.environment,
            )

    @abstractmethod
    async def until_ready(self) -> None:
        """Return once /readyz says so. A process that ended instead fails with what it printed."""
        ...

    def client(self) -> httpx.AsyncClient:
        """A client with the key of the home."""
        key = (self.home / "admin-key").read_text().strip()
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def pids(self) -> list[int]:
        """The whole tree: the process, and all that it started."""
        return [self.process.pid, *descendants(self.process.pid)]

    async def close(self) -> int:
        """Ctrl-C, and the exit code."""
        self.process.send_signal(signal.SIGINT)
        return await asyncio.to_thread(self.process.wait, self.closes_within_s)

    async def query(self, database: str, statement: str) -> list[Any]:
        """Look into a database beside the product; `database` without its `regulars_`."""
        connection = await asyncpg.connect(
            **self._postgres(),
            user=SUPERUSER,
            database="postgres" if database == "postgres" else f"regulars_{database}",
            timeout=10,
        )
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    @abstractmethod
    def _postgres(self) -> dict[str, Any]:
        """How its PostgreSQL is reached, in asyncpg's words."""
        ...

    @property
    def _log_path(self) -> Path:
        return self.home.with_name(self.home.name + ".log")


async def until(is_so: Callable[[], Coroutine[Any, Any, bool]], otherwise: str, within_s: float = 30.0) -> None:
    """Look again and again until it is so; fails with `otherwise` when it is not in time."""
    try:
        async with asyncio.timeout(within_s):
            while True:
                if await is_so():
                    return
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        raise AssertionError(f"{otherwise}, after {within_s:.0f} s") from None


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
