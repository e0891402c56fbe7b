"""The real Kafka under the tests and `make cluster`: one node (KRaft), a child process, from the jars Maven fetches."""

from __future__ import annotations

import base64
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0
_POLL_S = 0.05
_PR_SET_PDEATHSIG = 1


class BrokerFailed(Exception):
    """The broker did not start; the message ends with its log."""


class KafkaBroker:
    """A Kafka broker on free ports of 127.0.0.1, its data and log in `data_dir`.

    Start it from the main thread: it is killed when the thread that started it ends, so that a killed run leaves no
    orphan. `settings` go on top (server.properties names).
    """

    def __init__(self, java: str, lib_dir: Path, data_dir: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.log_path = data_dir / "kafka.log"
        self._java = shutil.which(java) or java
        self._lib_dir = lib_dir
        self._data_dir = data_dir
        self._port, self._controller_port = _free_ports(2)
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start on the data there is, or format a fresh folder; returns once it accepts. Raises `BrokerFailed`."""
        properties = self._write_properties()
        if not (self._data_dir / "logs" / "meta.properties").exists():
            self._format(properties)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._jvm("-Xmx512m"), "kafka.Kafka", str(properties)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                preexec_fn=_die_with_parent,
            )
        self._wait_until_ready(self._process)

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
            raise BrokerFailed(f"formatting failed: {outcome.stdout}{outcome.stderr}")

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
                return
            except OSError:
                time.sleep(_POLL_S)
        self.kill()
        raise BrokerFailed(f"the broker did not start; {self.log_path} ends:\n{self.log_path.read_text()[-2000:]}")

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


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


_libc = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None


def _die_with_parent() -> None:
    if _libc is not None and hasattr(_libc, "prctl"):
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
