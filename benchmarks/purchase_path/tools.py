"""The two programs that measure: `wrk` and `pgbench`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from purchase_path.measuring import Failed
from regulars.cluster import find_binaries

_APT = ("apt-get", "install", "-y", "-qq", "--no-install-recommends")


def find_pgbench() -> Path:
    """PostgreSQL's own load generator, of the same version as the server if that came with it. Raises `Failed`."""
    beside_the_server = find_binaries() / "pgbench"
    if os.access(beside_the_server, os.X_OK):
        return beside_the_server
    return _found("pgbench", "postgresql-contrib")


def find_wrk() -> Path:
    """The HTTP load generator. Raises `Failed`."""
    return _found("wrk", "wrk")


def _found(name: str, package: str) -> Path:
    """The program, installed by apt where this user may; else `Failed` says what to install."""
    path = shutil.which(name) or (_install(package) and shutil.which(name))
    if not path:
        raise Failed(f"{name} is missing: install it (Debian, Ubuntu: apt-get install {package}; macOS: brew).")
    return Path(path)


def _install(package: str) -> bool:
    if shutil.which("apt-get") is None:
        return False
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    return _succeeds([*as_root, "apt-get", "update", "-qq"]) and _succeeds([*as_root, *_APT, package])


def _succeeds(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
