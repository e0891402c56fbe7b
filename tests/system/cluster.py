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

import httpx

from system.running import Running, until

OPENS_WITHIN_S = 240.0


class Cluster(Running):
    """The same face as `Shop`, with names for its processes: `loyalty.serve.1`, `gateway.relay`, `kafka`, `nginx`."""

    command = ("cluster",)
    closes_within_s = 180.0

    async def until_ready(self) -> None:
        async def is_ready() -> bool:
            assert self.process.poll() is None, self.log
            # The port is open from the start and answers once everything behind it does.
            async with httpx.AsyncClient(base_url=self.url, timeout=2, trust_env=False) as client:
                with suppress(httpx.TransportError):
                    # The door is open a moment before it is written down where everything is.
                    return (await client.get("/readyz")).status_code == 200 and self._known_path.exists()
                return False

        await until(is_ready, "the cluster does not open", OPENS_WITHIN_S)

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

    async def kill_surely(self, name: str) -> None:
        """SIGKILL one process by its name. One that has just ended by itself is killed when it is back."""
        while True:
            pid = self.processes()[name]
            with suppress(ProcessLookupError):
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)
                    return
            await self.until_restarted(name, pid)

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

    def _postgres(self) -> dict[str, Any]:
        host, _, port = self._known()["postgres"].partition(":")
        password = (self.home / "postgres-password").read_text().strip()
        return {"host": host, "port": int(port), "password": password}

    def _known(self) -> Any:
        return json.loads(self._known_path.read_text())

    @property
    def _known_path(self) -> Path:
        return self.home / "cluster.json"


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
