"""`regulars cluster stop` and `start`: what the operator asks of a running cluster, from another terminal."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from regulars.distributed.holding import held_in, hold
from regulars.home import is_in_use
from regulars.refusals import CannotStart

DONE_WITHIN_S = 120.0
_LOOK_EVERY_S = 0.1


def stop(home: Path, names: Sequence[str], say: Callable[[str], None]) -> None:
    """End the processes and hold them down; return when they are gone. Raises `CannotStart`."""
    chosen = chosen_of(names, _known(home)["processes"])
    hold(home, held_in(home) | chosen)
    _until(home, lambda known: all(known["processes"][name] is None for name in chosen) and chosen <= {*known["held"]})
    say(
        f"Stopped: {', '.join(sorted(chosen))}. They stay so until `regulars cluster start`, or until the cluster ends."
    )


def start(home: Path, names: Sequence[str], say: Callable[[str], None]) -> None:
    """Let the processes go; return when all run again, which is before they are ready. Raises `CannotStart`."""
    chosen = chosen_of(names, _known(home)["processes"])
    hold(home, held_in(home) - chosen)
    _until(home, lambda known: not _is_waiting(known, chosen))
    say(f"Started: {', '.join(sorted(chosen))}.")


def chosen_of(names: Sequence[str], processes: Collection[str]) -> frozenset[str]:
    """The processes that are meant: each by its name, or a service's (or a role's) by what their names begin with.

    Raises `CannotStart` for a name that is nobody's.
    """
    chosen: set[str] = set()
    for name in names:
        meant = {process for process in processes if process == name or process.startswith(f"{name}.")}
        if not meant:
            raise CannotStart(f"there is no process {name}; there are {', '.join(sorted(processes))}.")
        chosen |= meant
    return frozenset(chosen)


def _is_waiting(known: Any, chosen: Collection[str]) -> bool:
    return any(known["processes"][name] is None or name in known["held"] for name in chosen)


def _until(home: Path, is_done: Callable[[Any], bool]) -> None:
    deadline = time.monotonic() + DONE_WITHIN_S
    while not is_done(_known(home)):
        if time.monotonic() > deadline:
            raise CannotStart(f"that takes longer than {DONE_WITHIN_S:.0f} s; see the logs in {home / 'logs'}.")
        time.sleep(_LOOK_EVERY_S)


def _known(home: Path) -> Any:
    """What the supervisor says of itself. Raises `CannotStart` when there is none."""
    path = home / "cluster.json"
    if not is_in_use(home) or not path.exists():
        raise CannotStart(f"no cluster runs on the home {home.absolute()}: give another with --home.")
    return json.loads(path.read_text())
