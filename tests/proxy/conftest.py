"""A real nginx with the configuration as it is shipped, in front of doubles."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from proxy.doubles import GOOD, Gateway, service
from regulars.distributed.proxy import Proxy
from regulars.distributed.run import program
from regulars.distributed.services import SERVICES
from regulars.ports import free_ports
from regulars.server_user import before_exec, choose_server_user
from regulars_kit.lifecycle import listen, run_loops, serving

NAMES = sorted({"gateway", *(entry.name for entry in SERVICES)})


@dataclass(frozen=True, slots=True)
class Door:
    """nginx, and the doubles behind it. `access_log` is what it wrote of requests."""

    url: str
    gateway: Gateway
    upstreams: Mapping[str, int]
    access_log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def client(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30, trust_env=False)


@asynccontextmanager
async def a_door(folder: Path, *, away: tuple[str, ...] = (), **settings: str) -> AsyncIterator[Door]:
    """`away`: services that nobody serves. `settings` stand in for those of the template."""
    gateway, stop = Gateway(), asyncio.Event()
    apps = {name: gateway.app if name == "gateway" else service(name) for name in NAMES}
    port, authorise_port, *rest = free_ports(2 + len(away))
    listeners = {name: listen("127.0.0.1", 0) for name in NAMES if name not in away}
    ports = {name: listener.getsockname()[1] for name, listener in listeners.items()}
    ports |= dict(zip(away, rest, strict=True))
    run_dir = folder / "nginx"
    user = choose_server_user([run_dir / "nginx.conf"])
    proxy = Proxy(
        folder=run_dir,
        access_log=folder / "access.log",
        listens_on=f"127.0.0.1:{port}",
        authorise_port=authorise_port,
        upstreams={name: [port] for name, port in ports.items()},
        settings={"REGULARS_WORKERS": "1", **settings},
        user=user,
    )
    proxy.write()
    loops = [serving(apps[name], listener) for name, listener in listeners.items()]
    async with asyncio.TaskGroup() as group:
        group.create_task(run_loops(loops, stop=stop, drain_s=0.1))
        nginx = _started(proxy)
        try:
            await _until_open(authorise_port, nginx)
            yield Door(f"http://127.0.0.1:{port}", gateway, ports, folder / "access.log")
        finally:
            nginx.terminate()
            await asyncio.to_thread(nginx.communicate)
            stop.set()


def _started(proxy: Proxy) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        proxy.command(program("nginx", "nginx-light")),
        stderr=subprocess.PIPE,
        preexec_fn=before_exec(proxy.user, dies_with_us=True),
    )


async def _until_open(port: int, nginx: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(20):
        while True:
            if nginx.poll() is not None:
                _, said = nginx.communicate()
                pytest.fail(said.decode())
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return


@pytest.fixture(scope="session")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    async with a_door(tmp_path_factory.mktemp("door")) as door:
        yield door


@pytest.fixture
async def client(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    async with door.client(Authorization=GOOD) as client:
        yield client
