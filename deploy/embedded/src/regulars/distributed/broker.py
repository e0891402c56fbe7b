"""A real Kafka for one machine: one node (KRaft), a child process, from the jars that Maven fetches."""

from __future__ import annotations

import base64
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from regulars.ports import free_ports
from regulars.refusals import CannotStart
from regulars.server_user import before_exec

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0
_POLL_S = 0.05


class KafkaBroker:
    """A Kafka broker on free ports of 127.0.0.1, its data and log in `data_dir`.

    Start it from the main thread: it is told to end when the thread that started it does, so that a killed run leaves
    no orphan. `settings` go on top (server.properties names). `niceness` is how far it steps back.
    """

    def __init__(
        self,
        java: str,
        lib_dir: Path,
        data_dir: Path,
        *,
        settings: Mapping[str, str] | None = None,
        niceness: int = 0,
    ) -> None:
        self.log_path = data_dir / "kafka.log"
        self._java = shutil.which(java) or java
        self._lib_dir = lib_dir
        self._data_dir = data_dir
        self._port, self._controller_port = free_ports(2)
        self._settings = dict(settings or {})
        self._niceness = niceness
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The broker's. Raises `RuntimeError` before the first start."""
        if self._process is None:
            raise RuntimeError("the broker was never started")
        return self._process.pid

    def start(self) -> None:
        """Start on the data there is, or format a fresh folder; returns once it accepts. Raises `CannotStart`."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start and return at once; `wait_until_ready` may then be called from any thread. Raises `CannotStart`."""
        properties = self._write_properties()
        if not (self._data_dir / "logs" / "meta.properties").exists():
            self._format(properties)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._jvm("-Xmx512m"), "kafka.Kafka", str(properties)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=before_exec(None, dies_with_us=True, niceness=self._niceness),
            )

    def wait_until_ready(self) -> None:
        """Return once it accepts connections. Raises `CannotStart` when it ends instead, or after a minute."""
        process = self._process
        deadline = time.monotonic() + _START_TIMEOUT_S
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
                return
            except OSError:
                time.sleep(_POLL_S)
        self.kill()
        last = self.log_path.read_text(errors="replace").splitlines()[-1:]
        raise CannotStart(f"Kafka does not start: {' '.join(last)[:500]} (see {self.log_path}).")

    def stop(self) -> None:
        """Shut down in good order; killed after 20 s."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Kill and start again on the same data and ports."""
        self.kill()
        self.start()

    def _jvm(self, heap: str) -> list[str]:
        # The first compiler and the serial collector: a broker of the tests lives for seconds on a shared core.
        options = [heap, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        return [self._java, *options, "-cp", f"{self._lib_dir}/*"]

    def _write_properties(self) -> Path:
        self._data_dir.mkdir(parents=True, exist_ok=True)
        path = self._data_dir / "server.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in self._properties().items()))
        return path

    def _properties(self) -> dict[str, str]:
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self._controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self._port}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self._data_dir / "logs"),
            "auto.create.topics.enable": "false",
            "offsets.topic.num.partitions": "1",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "message.max.bytes": str(8 * 1024 * 1024),
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "500",
            # After a kill the broker comes back only once its old session has run out (9 s by default).
            "broker.session.timeout.ms": "1500",
            "broker.heartbeat.interval.ms": "500",
            **self._settings,
        }

    def _format(self, properties: Path) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", str(properties)]
        outcome = subprocess.run([*self._jvm("-Xmx128m"), *tool], capture_output=True, text=True, timeout=60)
        if outcome.returncode != 0:
            raise CannotStart(f"Kafka's folder cannot be made: {outcome.stdout}{outcome.stderr}")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
