"""The machine that the figures are from, and the two cores of it that everybody shares."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from regulars.cluster import MAJOR_VERSION

CORES = 2


def use_two_cores() -> Sequence[int]:
    """Keep this process, and all that it starts, on two cores; on fewer where there are no two."""
    if not hasattr(os, "sched_setaffinity"):
        return range(os.cpu_count() or 1)
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, cores)
    return cores


def machine(cores: Sequence[int], folder: Path, load_before: float) -> dict[str, str | int | float]:
    """Where the figures are from; `load_before` is the machine's load average before the first of them."""
    return {
        "cpu": _cpu_model(),
        "cores": len(cores),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgresql": MAJOR_VERSION,
        "file_system": file_system_of(folder),
        "fsync": "on",
        "synchronous_commit": "on",
        "load_before": round(load_before, 2),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def file_system_of(folder: Path) -> str:
    """Of the database's folder: fsync into memory (`tmpfs`) would prove nothing. `unknown` where it is not told."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "unknown"
    within = [(point, kind) for point, kind in mounts if folder.resolve().is_relative_to(point)]
    return max(within, key=lambda mount: len(mount[0]))[1] if within else "unknown"


def load_average() -> float:
    return os.getloadavg()[0]
