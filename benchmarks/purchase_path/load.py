"""The tills: wrk, because the load shares the two cores with what it measures, and wrk takes the least of them.

Each connection sends a purchase, waits for its answer and sends the next, as a till does.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from purchase_path.measuring import Failed, Reading

SCRIPT = Path(__file__).with_name("purchase.lua")
_TIMEOUT_S = 10
_runs = count(1)


@dataclass(frozen=True, slots=True)
class Load:
    """`clients` connections for `seconds`. `batch` purchases in one request of NDJSON, 0 for one in plain JSON.

    `customers` is a file with the ids that purchases are drawn from.
    """

    clients: int
    seconds: float
    customers: Path
    batch: int = 0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`purchases` were answered, none with an error; their receipt numbers begin with `run` and a hyphen."""

    run: str
    purchases: int
    reading: Reading


def run_load(wrk: Path, urls: Sequence[str], load: Load) -> Outcome:
    """Put the load on the `urls`, which differ in the port: alike on each, as far as there are clients for it.

    Raises `Failed` when a single request was not answered with success.
    """
    ports = [str(urlsplit(url).port) for url in urls[: load.clients]]
    command = [str(wrk), f"-t{len(ports)}", f"-c{load.clients}", f"-d{round(load.seconds)}s"]
    command += [f"--timeout={_TIMEOUT_S}s", f"--script={SCRIPT}"]
    media_type = "application/x-ndjson" if load.batch else "application/json"
    for name, value in {"Content-Type": media_type, **load.headers}.items():
        command += ["-H", f"{name}: {value}"]
    run, today = f"run{next(_runs)}", f"{datetime.now(UTC):%Y-%m-%d}"
    command += [urls[0], "--", run, today, str(load.batch), str(load.customers), *ports]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"wrk failed: {done.stderr or done.stdout}")
    return _outcome(run, json.loads(done.stdout.splitlines()[-1]), max(load.batch, 1))


def _outcome(run: str, told: dict[str, int], purchases_each: int) -> Outcome:
    if failures := {kind: told[kind] for kind in ("status", "broken", "timeout") if told[kind]}:
        raise Failed(f"of {told['requests']} requests some failed: {failures}")
    purchases = told["requests"] * purchases_each
    per_s = purchases / (told["duration"] / 1e6)
    return Outcome(run, purchases, Reading(per_s, told["p50"] / 1e3, told["p99"] / 1e3))
