"""Stepping back: work that can wait leaves the processors to those who answer requests.

Linux shares the processors out between sessions first, all alike, and looks at niceness within each alone. So whoever
steps back takes a session of his own with him; and each process of PostgreSQL leads one.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

_AUTOGROUP = Path("/proc/self/autogroup")
# The kernel takes one change in a tenth of a second from whoever is not root.
_TRIES, _PAUSE_S = 50, 0.1


def step_back(niceness: int) -> None:
    """Lower the priority of this process to `niceness` (0 to 19), unless it is as low already; and that of the session
    that it leads, if it does. Safe between fork and exec."""
    if not hasattr(os, "nice"):
        return
    reached = os.nice(max(0, niceness - os.nice(0)))
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            _AUTOGROUP.write_text(str(reached))


def bring_along(backend_pid: int) -> None:
    """If we have stepped back, so does the process of PostgreSQL that serves a connection of ours, on this machine.

    It may take seconds, in a thread of its own, and where it is not allowed nothing happens.
    """
    niceness = os.nice(0) if hasattr(os, "nice") else 0
    if niceness > 0:
        Thread(target=_step_back, args=(backend_pid, niceness), daemon=True).start()


def _step_back(backend_pid: int, niceness: int) -> None:
    process = Path("/proc") / str(backend_pid)
    with suppress(OSError):
        # The number may be that of a process on another machine.
        if not (process / "cmdline").read_bytes().startswith(b"postgres: "):
            return
        os.setpriority(os.PRIO_PROCESS, backend_pid, niceness)
        for _ in range(_TRIES):
            try:
                (process / "autogroup").write_text(str(niceness))
                return
            except BlockingIOError:
                time.sleep(_PAUSE_S)
