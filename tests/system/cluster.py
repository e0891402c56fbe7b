"""A shop of separate processes that can be opened, hurt and closed: `regulars cluster` on a home of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from regulars.cluster import SUPERUSER
from system.shop import CLOSES_WITHIN_S, a_free_port, descendants, until

OPENS_WITHIN_S = 240.0


class Cluster:
    """The same face as `Shop`, with names for its processes: `loyalty.serve.1`, `gateway.relay`, `kafka`, `nginx`."""

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
        assert self._process is not None, "the cluster was never opened"
        return self._process

    def open(self) -> None:
        """Start the supervisor and return at once; `until_ready` waits for it."""
        command = [sys.executable, "-m", "regulars", "cluster", "--home", str(self.home), "--port", str(self.port)]
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, process_group=0, env=self.environment)

    async def until_ready(self) -> None:
        """Return once /readyz says so. A supervisor that ended instead fails with what it printed."""

        async def is_ready() -> bool:
            assert self.process.poll() is None, self.log
            # The port is open from the start and answers once everything behind it does.
            async with httpx.AsyncClient(base_url=self.url, timeout=2, trust_env=False) as client:
                with suppress(httpx.TransportError):
                    # The door is open a moment before it is written down where everything is.
                    return (await client.get("/readyz")).status_code == 200 and self._known_path.exists()
                return False

        await until(is_ready, "the cluster does not open", OPENS_WITHIN_S)

    def client(self) -> httpx.AsyncClient:
        """A client with the key of the home."""
        key = (self.home / "admin-key").read_text().strip()
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def processes(self) -> dict[str, int | None]:
        """Every process by its name, with its number: None while it is not running."""
        return dict(self._known()["processes"])

    def kill(self, name: str | None = None) -> None:
        """SIGKILL one process by its name; without one the supervisor, which can say goodbye to nobody."""
        if name is None:
            self.process.kill()
            self.process.wait()
            return
        pid = self.processes()[name]
        assert pid is not None, f"{name} is not running"
        os.kill(pid, signal.SIGKILL)

    async def stop(self, *names: str) -> None:
        """Hold processes down, as an operator does; returns when they are gone."""
        await self._ask("stop", *names)

    async def start(self, *names: str) -> None:
        """Let them go; returns when they run again, ready or not."""
        await self._ask("start", *names)

    async def _ask(self, what: str, *names: str) -> None:
        command = [sys.executable, "-m", "regulars", "cluster", "--home", str(self.home), what, *names]
        asked = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = await asked.communicate()
        assert asked.returncode == 0, said.decode()

    async def metrics(self, name: str) -> str:
        """What a process says on its own /metrics."""
        port = self._known()["ports"][name]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5, trust_env=False) as client:
            return (await client.get("/metrics")).text

    async def until_restarted(self, name: str, killed: int | None) -> None:
        """Return once another process than `killed` stands under the name."""

        async def is_back() -> bool:
            return self.processes()[name] not in (None, killed)

        await until(is_back, f"{name} does not come back")

    async def close(self) -> int:
        """Ctrl-C, and the exit code."""
        self.process.send_signal(signal.SIGINT)
        return await asyncio.to_thread(self.process.wait, 3 * CLOSES_WITHIN_S)

    def pids(self) -> list[int]:
        """The whole tree."""
        return [self.process.pid, *descendants(self.process.pid)]

    async def query(self, database: str, statement: str) -> list[Any]:
        """Look into a database beside the product; `database` without its `regulars_`."""
        host, _, port = self._known()["postgres"].partition(":")
        connection = await asyncpg.connect(
            host=host,
            port=int(port),
            user=SUPERUSER,
            password=(self.home / "postgres-password").read_text().strip(),
            database="postgres" if database == "postgres" else f"regulars_{database}",
            timeout=10,
        )
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    def _known(self) -> Any:
        return json.loads(self._known_path.read_text())

    @property
    def _known_path(self) -> Path:
        return self.home / "cluster.json"

    @property
    def _log_path(self) -> Path:
        return self.home.with_name(self.home.name + ".log")


@asynccontextmanager
async def an_open_cluster(home: Path, environment: Mapping[str, str] | None = None) -> AsyncIterator[Cluster]:
    """A cluster that answers, on a home that may be new. Nothing of it is left at the end."""
    cluster = Cluster(home, environment)
    cluster.open()
    try:
        await cluster.until_ready()
        yield cluster
    finally:
        if cluster.process.poll() is None:
            pids = cluster.pids()
            cluster.kill()
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
