"""A shop that can be opened, closed and killed: `regulars up` as a process of its own, on a home of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from regulars.cluster import SUPERUSER
from regulars.postgres import PostgresServer
from regulars.postmaster import servers_on

OPENS_WITHIN_S = 120.0
CLOSES_WITHIN_S = 60.0
LOOK_EVERY_S = 0.05


class Shop:
    """One home and one port; `open` and `kill` may follow each other as often as one likes."""

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
        assert self._process is not None, "the shop was never opened"
        return self._process

    def open(self) -> None:
        """Start the process and return at once; `until_ready` waits for it."""
        command = [sys.executable, "-m", "regulars", "up", "--home", str(self.home), "--port", str(self.port)]
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--sample", "none"], stdout=log, stderr=log, process_group=0, env=self.environment
            )

    async def until_ready(self) -> None:
        """Return once /readyz says so. A process that ended instead fails with what it printed."""
        async with httpx.AsyncClient(base_url=self.url, timeout=OPENS_WITHIN_S, trust_env=False) as client:

            async def is_ready() -> bool:
                assert self.process.poll() is None, self.log
                with suppress(httpx.TransportError):
                    return (await client.get("/readyz")).status_code == 200
                return False

            await until(is_ready, "the shop does not open", OPENS_WITHIN_S)

    def client(self) -> httpx.AsyncClient:
        """A client with the key of the home."""
        key = (self.home / "admin-key").read_text().strip()
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def pids(self) -> list[int]:
        """The whole tree: the process, its PostgreSQL, and PostgreSQL's sessions."""
        return [self.process.pid, *descendants(self.process.pid)]

    def kill(self) -> None:
        """SIGKILL to the whole tree, PostgreSQL first: it is to have no time for a checkpoint."""
        for pid in reversed(self.pids()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    async def close(self) -> int:
        """Ctrl-C, and the exit code."""
        self.process.send_signal(signal.SIGINT)
        return await asyncio.to_thread(self.process.wait, CLOSES_WITHIN_S)

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

    async def query(self, database: str, statement: str) -> list[Any]:
        """Look into a database beside the product; `database` without its `regulars_`."""
        connection = await asyncpg.connect(
            host=str(PostgresServer(self.postgres_dir).socket_dir),
            user=SUPERUSER,
            database="postgres" if database == "postgres" else f"regulars_{database}",
            timeout=10,
        )
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    @property
    def _log_path(self) -> Path:
        return self.home.with_name(self.home.name + ".log")


def command_of(pid: int) -> bytes:
    """Empty for a process that is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


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


def descendants(pid: int) -> list[int]:
    """All processes below this one, parents before children."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            # It may have ended since it was listed.
            with suppress(OSError):
                # The fields after the name, which may itself hold blanks and brackets: state, then parent (proc(5)).
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                children[int(parent)].append(int(entry.name))
    found = [pid]
    for each in found:
        found.extend(children[each])
    return found[1:]
