"""What the processes of a shop take of memory and of the processor, as Linux tells it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from chain_path.running import Running
from purchase_path.measuring import Failed

WORKER, BEHIND, SERVING = "worker", "behind", "serving"
_KNOWN_BY = {WORKER: "regulars_scoring.worker", BEHIND: "regulars.behind"}
LOOK_EVERY_S = 0.2
_MB = 1e6 / 1024
_PROC = Path("/proc")


@dataclass(slots=True)
class Taken:
    """By role: the largest resident memory of a process since its start, in MB, CPU seconds so far, and when it was
    last seen, as Unix time.
    """

    peak_mb: dict[str, float] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)
    seen_at: dict[str, float] = field(default_factory=dict)

    def note(self, role: str, peak_mb: float, cpu_s: float) -> None:
        self.peak_mb[role] = max(peak_mb, self.peak_mb.get(role, 0.0))
        self.cpu_s[role] = max(cpu_s, self.cpu_s.get(role, 0.0))
        self.seen_at[role] = time.time()


@contextmanager
def watched(shop: Running) -> Iterator[Taken]:
    """What the shop's processes take until the block ends. Raises `Failed`."""
    root, taken, stop = _root_of(shop), Taken(), Event()

    def watch() -> None:
        while not stop.is_set():
            _look(root, taken)
            stop.wait(LOOK_EVERY_S)

    watching = Thread(target=watch)
    watching.start()
    try:
        yield taken
    finally:
        stop.set()
        watching.join()


def _root_of(shop: Running) -> int:
    for pid in _pids():
        if {"up", str(shop.home)} <= set(_command(pid)):
            return pid
    raise Failed("the shop's process is not found: this takes Linux")


def _look(root: int, taken: Taken) -> None:
    parents = {pid: parent for pid in _pids() if (parent := _parent(pid)) is not None}
    for pid in parents:
        if (role := _role(pid, root, parents)) is not None:
            with suppress(OSError, StopIteration):
                taken.note(role, _peak_mb(pid), _cpu_s(pid))


def _role(pid: int, root: int, parents: dict[int, int]) -> str | None:
    if pid == root:
        return SERVING
    ancestor: int | None = pid
    while ancestor is not None and ancestor != root:
        ancestor = parents.get(ancestor)
    if ancestor is None:
        return None
    command = _command(pid)
    return next((role for role, module in _KNOWN_BY.items() if module in command), None)


def _pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _command(pid: int) -> list[str]:
    with suppress(OSError):
        return (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    return []


def _stat(pid: int) -> list[str]:
    """From the state on: what stands before it may hold blanks."""
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _parent(pid: int) -> int | None:
    with suppress(OSError):
        return int(_stat(pid)[1])
    return None


def _cpu_s(pid: int) -> float:
    user, system = _stat(pid)[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    lines = (_PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / _MB
