"""Stepping back: work that can wait leaves the processors to those who answer requests."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_AUTOGROUP = Path("/proc/self/autogroup")


def step_back(niceness: int) -> None:
    """Lower the priority of this process to `niceness` (0 to 19), unless it is as low already.

    Linux shares the processors out between sessions first, all alike, and looks at niceness within each alone. So a
    process that leads a session of its own lowers the session, too. Safe between fork and exec.
    """
    if not hasattr(os, "nice"):
        return
    reached = os.nice(max(0, niceness - os.nice(0)))
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            _AUTOGROUP.write_text(str(reached))
