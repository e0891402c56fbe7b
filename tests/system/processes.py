"""The machine's processes, as /proc knows them."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from pathlib import Path


def command_of(pid: int) -> bytes:
    """Empty for a process that is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def descendants(pid: int) -> list[int]:
    """All processes below this one, parents before children."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            # It may have ended since it was listed.
            with suppress(OSError):
                # The fields after the name, which may itself hold blanks and brackets: state, then parent (proc(5)).
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                children[int(parent)].append(int(entry.name))
    found = [pid]
    for each in found:
        found.extend(children[each])
    return found[1:]
