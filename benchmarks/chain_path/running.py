"""A shop that answers, in one process or as a cluster, on a home of its own; and how all but its tills stand still."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import asyncpg
import httpx

from purchase_path.server import free_port, python_server
from regulars.cluster import SUPERUSER
from regulars.postgres import PostgresServer

Way = Literal["embedded", "cluster"]
SERVICES = ("customer", "loyalty", "scoring", "campaign", "gateway")

_COMMANDS = {"embedded": ["up", "--sample", "none"], "cluster": ["cluster"]}
_STARTS_WITHIN_S = 240.0
_STOPS_WITHIN_S = 200.0
_TIMEOUT_S = 120.0
_TILLS_NEED = ("postgres", "kafka", "nginx", "gateway.serve", "loyalty.serve")
_LOCAL = {"REGULARS_GATEWAY_ALLOWED_NETWORKS": "127.0.0.0/8"}


@dataclass(frozen=True, slots=True)
class Running:
    way: Way
    home: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        return (self.home / "admin-key").read_text().strip()

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=_TIMEOUT_S, trust_env=False)

    def ask(self, database: str, *statements: str) -> Sequence[Any]:
        """The rows of the last statement, asked beside the product; `database` without its `regulars_`."""
        return asyncio.run(self._ask(database, statements))

    async def _ask(self, database: str, statements: Sequence[str]) -> Sequence[Any]:
        async with self.connected(database) as connection:
            answers: list[Sequence[Any]] = [await connection.fetch(statement) for statement in statements]
        return answers[-1]

    @asynccontextmanager
    async def connected(self, database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """A connection beside the product's; `database` as above."""
        name = "postgres" if database == "postgres" else f"regulars_{database}"
        connection = await asyncpg.connect(user=SUPERUSER, database=name, timeout=30, **self._server())
        try:
            yield connection
        finally:
            await connection.close()

    def _server(self) -> dict[str, Any]:
        if self.way == "embedded":
            return {"host": str(PostgresServer(self.home / "postgres").socket_dir)}
        host, _, port = json.loads((self.home / "cluster.json").read_text())["postgres"].partition(":")
        password = (self.home / "postgres-password").read_text().strip()
        return {"host": host, "port": int(port), "password": password}

    def write_checkpoint(self) -> None:
        """So that what came before is not written to disk in the time of what comes next."""
        self.ask("postgres", "CHECKPOINT")

    @contextmanager
    def only_tills_served(self) -> Iterator[None]:
        """Until the block ends nothing follows from a purchase: the door and the loyalty service's answer are all.

        Embedded: the bus lets nobody in, so no event reaches any service, and the outbox waits. Cluster: every process
        that a till does not wait for is stopped (SIGSTOP).
        """
        hold, let_go = (_shut_bus, _open_bus) if self.way == "embedded" else (_stop_others, _continue_others)
        hold(self)
        try:
            yield
        finally:
            let_go(self)


@contextmanager
def opened(way: Way, folder: Path) -> Iterator[Running]:
    """A new shop in `folder`; it ends with the block. Raises `Failed`."""
    shop = Running(way, folder / way, free_port())
    arguments = ["-m", "regulars", *_COMMANDS[way], "--home", str(shop.home), "--port", str(shop.port)]
    log = folder / f"{way}.log"
    with python_server(
        arguments,
        _LOCAL,
        f"{shop.url}/readyz",
        log,
        starts_within_s=_STARTS_WITHIN_S,
        stops_within_s=_STOPS_WITHIN_S,
    ):
        yield shop


def _shut_bus(shop: Running) -> None:
    shop.ask(
        "postgres",
        "ALTER DATABASE regulars_bus ALLOW_CONNECTIONS false",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'regulars_bus'",
    )


def _open_bus(shop: Running) -> None:
    shop.ask("postgres", "ALTER DATABASE regulars_bus ALLOW_CONNECTIONS true")


def _stop_others(shop: Running) -> None:
    _signal_others(shop, signal.SIGSTOP)


def _continue_others(shop: Running) -> None:
    _signal_others(shop, signal.SIGCONT)


def _signal_others(shop: Running, what: signal.Signals) -> None:
    processes: dict[str, int | None] = json.loads((shop.home / "cluster.json").read_text())["processes"]
    for name, pid in processes.items():
        if pid is not None and not name.startswith(_TILLS_NEED):
            os.kill(pid, what)
