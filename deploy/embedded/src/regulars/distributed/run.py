"""The run of `regulars cluster`: what is started in which order, kept going, and ended in the reverse one."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from regulars.distributed.broker import KafkaBroker
from regulars.distributed.child import Child, Command, Startable, keep
from regulars.distributed.ground import Databases, ground_of, kafka_lib, postgres_secret
from regulars.distributed.holding import Holds
from regulars.distributed.plan import BEHIND_NICENESS, Plan, plan_of
from regulars.distributed.proxy import FILES, Proxy
from regulars.distributed.servers import Kept
from regulars.distributed.services import SERVICES, Entry
from regulars.home import Home
from regulars.ports import free_ports
from regulars.postgres import PostgresServer
from regulars.refusals import CannotStart
from regulars.server_user import choose_server_user
from regulars.serving import listen
from regulars_kit.lifecycle import run_loops
from regulars_kit.observe import set_up_logs

READY_WITHIN_S = 180.0
ENDS_WITHIN_S = 300.0
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Options:
    """What `regulars cluster` was asked for. `messages_dir` None: no campaign can be launched."""

    home: Path
    host: str
    port: int
    messages_dir: Path | None = None


def open_cluster(options: Options, say: Callable[[str], None], entries: Sequence[Entry] = SERVICES) -> None:
    """Run until SIGINT or SIGTERM, then end in good order. Raises `CannotStart`.

    Call it from the main thread, which the children's lives hang on. `say` prints a text for the one who started it.
    """
    set_up_logs("warning", as_json=False)
    nginx, java = program("nginx", "nginx-light"), program("java", "default-jre-headless")
    if not any(kafka_lib().glob("*.jar")):
        raise CannotStart(f"Kafka's jars are missing in {kafka_lib()}: `make setup` fetches them.")
    with Home(options.home, "cluster") as home, closing(listen(options.host, options.port)) as listener:
        databases = Databases(home, free_ports(1)[0], postgres_secret(home))
        broker = KafkaBroker(java, kafka_lib(), home.folder / "kafka", niceness=BEHIND_NICENESS)
        try:
            broker.launch()
            with databases.server() as postgres:
                run = _Run(home, databases, postgres, broker, listener, nginx, say, entries, options.messages_dir)
                # The standard loop: children must be made by this thread, with a preparation of ours.
                asyncio.run(run_loops([run.go], drain_s=ENDS_WITHIN_S))
        finally:
            broker.stop()
    if run.failure:
        raise run.failure


def program(name: str, package: str) -> str:
    """Where a program is; administrators' folders are looked through too. Raises `CannotStart`."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    if found := shutil.which(name, path=path):
        return found
    raise CannotStart(f"{name} is missing: install it (on Debian or Ubuntu, `apt-get install {package}`).")


class _Run:
    def __init__(
        self,
        home: Home,
        databases: Databases,
        postgres: PostgresServer,
        broker: KafkaBroker,
        listener: socket.socket,
        nginx: str,
        say: Callable[[str], None],
        entries: Sequence[Entry],
        messages_dir: Path | None,
    ) -> None:
        self.failure: CannotStart | None = None
        self._home = home
        self._databases = databases
        self._broker = broker
        self._listener = listener
        self._nginx = nginx
        self._say = say
        self._entries = entries
        self._messages_dir = messages_dir
        self._logs = home.folder / "logs"
        self._holds = Holds(home.folder)
        self._host, self._port = listener.getsockname()[:2]
        # In the order in which they are started; ended from the last to the first, each stage at once.
        self._stages: list[list[Startable]] = [[Kept("postgres", postgres), Kept("kafka", broker)]]

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self._host == "0.0.0.0" else self._host
        return f"http://{host}:{self._port}"

    async def go(self, stop: asyncio.Event) -> None:
        """Until `stop`. A start that fails is kept in `failure`, once all that had been started is ended."""
        work = asyncio.ensure_future(self._open_and_keep())
        stopped = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        except CannotStart as refusal:
            self.failure = refusal
        finally:
            stopped.cancel()
            work.cancel()
            await asyncio.wait([work])
            for stage in reversed(self._stages):
                await asyncio.gather(*[child.end() for child in stage])

    async def _open_and_keep(self) -> None:
        # nginx may run as another user than we, and opens its log by itself.
        self._logs.mkdir(mode=0o711, exist_ok=True)
        # Of another run.
        self._holds.clear()
        (self._home.folder / "cluster.json").unlink(missing_ok=True)
        ready = asyncio.to_thread(self._broker.wait_until_ready)
        await asyncio.gather(ready, self._databases.prepare(self._entries))
        plan = plan_of(
            self._entries,
            ground_of(self._home, self._databases, self._broker.bootstrap_servers, self._messages_dir),
            self._logs,
        )
        for commands in (plan.relays, plan.consumers, plan.servers):
            await self._start(commands)
        # Last: whoever is let in is served.
        for stage in self._stages:
            await asyncio.gather(*[_until_ready(child) for child in stage if isinstance(child, Child)])
        await _until_ready((await self._start([self._proxy(plan)]))[0])
        self._say(self._greeting())
        children = [child for stage in self._stages for child in stage]
        async with asyncio.TaskGroup() as group:
            for child in children:
                group.create_task(keep(child, self._holds, self._note, self._say))
            group.create_task(self._holds.enforce(children))

    async def _start(self, commands: Sequence[Command]) -> list[Child]:
        children = [Child(command) for command in commands]
        self._stages.append([*children])
        for child in children:
            await child.start()
        return children

    def _proxy(self, plan: Plan) -> Command:
        """nginx gets our open port, so that it need not be root's and connections wait while it is started again."""
        folder = self._home.folder / "nginx"
        user = choose_server_user([folder / "nginx.conf", FILES / "routes.conf"])
        proxy = Proxy(
            folder=folder,
            access_log=self._logs / "nginx.access.log",
            listens_on=f"{self._host}:{self._port}",
            authorise_port=plan.authorise_port,
            upstreams=plan.upstreams,
            user=user,
        )
        proxy.write()
        return Command(
            name="nginx",
            arguments=proxy.command(self._nginx),
            log_path=self._logs / "nginx.log",
            ready_at=plan.authorise_port,
            environment={"NGINX": f"{self._listener.fileno()};"},
            user=user,
            sockets=[self._listener.fileno()],
            stop_signal=signal.SIGQUIT,
        )

    def _note(self) -> None:
        """Where everything is just now, for whoever looks in from outside: HOME/cluster.json."""
        children = [child for stage in self._stages for child in stage]
        self._home.kept_file(
            "cluster.json",
            json.dumps(
                {
                    "url": self.url,
                    "postgres": f"127.0.0.1:{self._databases.port}",
                    "kafka": self._broker.bootstrap_servers,
                    "processes": {child.name: child.pid for child in children},
                    "held": sorted(self._holds.names),
                    "ports": {child.name: child.command.ready_at for child in children if isinstance(child, Child)},
                },
                indent=2,
            ),
        )

    def _greeting(self) -> str:
        names = ", ".join(child.name for stage in self._stages for child in stage)
        return "\n".join(
            [
                f"Regulars is open at {self.url} (API: {self.url}/docs)",
                f"API key: {self._home.admin_key_path.read_text().strip()}  (in {self._home.admin_key_path})",
                f"Processes: {names}; their logs: {self._logs}",
                "Ctrl-C stops it.",
            ]
        )


async def _until_ready(child: Child) -> None:
    """Return once its /readyz says so. Raises `CannotStart` when it ends, or is not ready in three minutes."""
    port = child.command.ready_at
    if port is None:
        return
    deadline = asyncio.get_running_loop().time() + READY_WITHIN_S
    while not await asyncio.to_thread(_is_ready, port):
        if child.pid is None or asyncio.get_running_loop().time() > deadline:
            last = child.log_path.read_text(errors="replace").splitlines()[-1:]
            raise CannotStart(f"{child.name} does not start: {' '.join(last)[:500]} (see {child.log_path}).")
        await asyncio.sleep(_LOOK_EVERY_S)


def _is_ready(port: int, host: str = "127.0.0.1") -> bool:
    with closing(HTTPConnection(host, port, timeout=5)) as connection:
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
