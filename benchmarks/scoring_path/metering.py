"""What a piece of work takes of the processor and of memory. The peers run this, too: the standard library alone."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable, Mapping

_UNITS_PER_MB = 1e6 if sys.platform == "darwin" else 1e6 / 1024
"""Of `ru_maxrss`, which is in bytes on macOS and in KiB elsewhere."""


def cpu_seconds() -> float:
    """User and system time of this process, its threads and the processes that it has ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def meter(work: Callable[[], Mapping[str, float]]) -> None:
    """Do it once, and print what it says of itself with `cpu_s`; `peak_mb` is of the whole process, to this moment."""
    before = cpu_seconds()
    found = dict(work())
    found["cpu_s"] = cpu_seconds() - before
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNITS_PER_MB
    print(json.dumps(found))
