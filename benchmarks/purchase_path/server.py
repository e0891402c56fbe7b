"""A contender that speaks HTTP: a child process with one event loop, on a free port of 127.0.0.1."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from purchase_path.measuring import Failed

_START_TIMEOUT_S = 30
_STOP_TIMEOUT_S = 40
_POLL_S = 0.05


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def python_server(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    ready_url: str,
    log: Path,
    *,
    starts_within_s: float = _START_TIMEOUT_S,
    stops_within_s: float = _STOP_TIMEOUT_S,
) -> Iterator[None]:
    """A Python process that has begun to answer `ready_url`; it ends with the block. Raises `Failed`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], env={**os.environ, **environment}, stdout=output, stderr=output
        )
        try:
            _wait_until_ready(process, ready_url, log, starts_within_s)
            yield
        finally:
            process.terminate()
            process.wait(stops_within_s)


@contextmanager
def uvicorn_server(app: str, environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """`app` (module:name) under uvicorn, as the loyalty service is served; gives its address."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    arguments = ["-m", "uvicorn", app, "--app-dir", str(Path(__file__).parents[1]), "--port", str(port)]
    arguments += ["--no-access-log", "--log-level", "warning", "--no-server-header", "--timeout-keep-alive", "75"]
    with python_server(arguments, environment, f"{url}/healthz", log):
        yield url


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            time.sleep(_POLL_S)
    raise Failed(f"a server did not start:\n{log.read_text()[-2000:]}")
