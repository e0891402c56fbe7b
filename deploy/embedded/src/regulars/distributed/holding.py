"""Processes that the operator holds down: the names in HOME/held, which the supervisor looks at again and again.

A file, since it can be read by whoever wonders, needs no port, and whoever asks may go away again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from regulars.distributed.child import Startable

_LOOK_EVERY_S = 0.2


class Holds:
    """Which names are held just now. A run begins with none."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.names: frozenset[str] = frozenset()

    def clear(self) -> None:
        """Hold nobody."""
        _path(self._home).unlink(missing_ok=True)

    def has(self, name: str) -> bool:
        return name in self.names

    async def until_free(self, name: str) -> None:
        while self.has(name):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_EVERY_S)

    async def enforce(self, children: Sequence[Startable]) -> None:
        """End whoever is named anew. Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                names = held_in(self._home)
                fresh, self.names = names - self.names, names
                for child in children:
                    if child.name in fresh:
                        group.create_task(child.end())
                await asyncio.sleep(_LOOK_EVERY_S)


def held_in(home: Path) -> frozenset[str]:
    """The names in the file; none without one."""
    try:
        return frozenset(_path(home).read_text().split())
    except FileNotFoundError:
        return frozenset()


def hold(home: Path, names: Iterable[str]) -> None:
    """Write the names down, all that are to be held. Raises OSError."""
    beside = _path(home).with_name("held.new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123
        file.writelines(f"{name}\n" for name in sorted(names))
    beside.replace(_path(home))


def _path(home: Path) -> Path:
    return home / "held"
