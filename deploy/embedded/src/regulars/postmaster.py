"""What can be known about a PostgreSQL server from outside: its pid file, its process, its last words."""

from __future__ import annotations

import os
from pathlib import Path


def environment() -> dict[str, str]:
    """Messages in English, which `explained` reads, and none of the caller's PG* variables."""
    return {"LC_ALL": "C", "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "TZ": "UTC"}


def recorded_pid(data_dir: Path) -> int | None:
    """The process that postmaster.pid names; None without the file, or while it is being written."""
    lines = _pid_file(data_dir)
    return abs(int(lines[0])) if lines and lines[0].lstrip("-").isdigit() else None


def is_ready(data_dir: Path, pid: int) -> bool:
    """Line 8 of postmaster.pid says so; line 1 must be our child, since a killed server leaves its file behind."""
    lines = _pid_file(data_dir)
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def is_alive(pid: int) -> bool:
    """Whether a process of that number exists, whoever it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def servers_on(data_dir: Path) -> list[int]:
    """The PostgreSQL processes that work in this folder: a postmaster, or the last sessions of a killed one.

    A number in a pid file may be anybody's after a reboot, or nobody's any more; the folder a process works in is
    not mistaken. Without /proc (macOS) the pid file is believed.
    """
    if not Path("/proc/self/cwd").exists():
        pid = recorded_pid(data_dir)
        return [pid] if pid is not None and is_alive(pid) else []
    where = data_dir.resolve()
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _works_in(entry, where)]


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "comm").read_text().strip() == "postgres" and (process / "cwd").readlink() == folder
    except OSError:
        # Ended meanwhile, a zombie, or not ours to look at (then it cannot be our server either).
        return False


def explained(output: str, data_dir: Path) -> str:
    """One line out of what PostgreSQL wrote: a known cause by its name, else its own last complaint."""
    if "No space left on device" in output:
        return f"the disk is full: PostgreSQL could not write under {data_dir}; make room and start again."
    complaints = [line for line in output.splitlines() if "FATAL" in line or "error:" in line] or output.splitlines()
    reason = complaints[-1].strip() if complaints else "it ended without a word"
    return f"PostgreSQL does not start on {data_dir}: {reason}"


def _pid_file(data_dir: Path) -> list[str]:
    try:
        return (data_dir / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []
