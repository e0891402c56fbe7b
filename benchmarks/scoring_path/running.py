"""The turns, one after the other, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from purchase_path.measuring import Failed
from scoring_path.environments import LIFETIMES, PYMC_MARKETING, python_of

OURS = "ours"
_MODULES = {OURS: "ours", LIFETIMES: "lifetimes_peer", PYMC_MARKETING: "pymc_marketing_peer"}
# Spinning threads of linear algebra would be counted, and help nobody: so does our worker run, too.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_BENCHMARKS = Path(__file__).resolve().parents[1]
_WARM_UP = 2_000

Turn = Mapping[str, float]
"""What a turn said of itself: sums of what it found, `cpu_s`, `peak_mb`."""
Turns = Mapping[str, Mapping[str, Sequence[Turn]]]
"""By case and contender, one a round."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many customers are scored beside peers and alone, and how many purchases become states; with their names."""

    beside: Mapping[str, int]
    alone: tuple[str, int]
    purchases: tuple[str, int]


FULL = Sizes({"100k": 100_000, "1m": 1_000_000}, ("20m", 20_000_000), ("10m", 10_000_000))
QUICK = Sizes({"5k": 5_000, "20k": 20_000}, ("100k", 100_000), ("200k", 200_000))


def measure(sizes: Sizes, rounds: int, home: Path, peers: Path, announce: Callable[[str], None]) -> Turns:
    """Every contender's turns, in turn. Raises `Failed`. `peers` keeps the environments."""
    pythons = {OURS: Path(sys.executable), **{peer: python_of(peer, peers) for peer in (LIFETIMES, PYMC_MARKETING)}}

    def turn(who: str, *task: str | Path) -> Turn:
        announce(f"{who}: {' '.join(each.stem if isinstance(each, Path) else each for each in task[:2])}")
        said: Turn = json.loads(_said(pythons[who], f"scoring_path.{_MODULES[who]}", *task))
        return said

    def simulated(kind: str, size: int, name: str) -> Path:
        announce(f"simulating {size:,} {'customers' if kind == 'states' else kind}")
        _said(pythons[OURS], "scoring_path.simulating", kind, str(size), home / name)
        return home / name

    warm_up = simulated("states", _WARM_UP, "warm_up")
    turns: dict[str, dict[str, list[Turn]]] = {}
    for name, size in sizes.beside.items():
        data = simulated("states", size, f"customers_{name}")
        turns[f"score_{name}"] = _rounds(rounds, (OURS, LIFETIMES, PYMC_MARKETING), turn, "score", data, warm_up)
    turns["live_score"] = _rounds(rounds, (OURS,), turn, "live", data)
    name, size = sizes.purchases
    purchases = simulated("purchases", size, f"purchases_{name}.parquet")
    turns[f"states_{name}"] = _rounds(rounds, (OURS, LIFETIMES), turn, "states", purchases)
    name, size = sizes.alone
    data = simulated("states", size, f"customers_{name}")
    turns[f"score_{name}"] = _rounds(rounds, (OURS,), turn, "score", data, warm_up)
    return turns


def _rounds(
    rounds: int, contenders: Sequence[str], turn: Callable[..., Turn], *task: str | Path
) -> dict[str, list[Turn]]:
    """A slow minute of the machine hits ours and the peers alike."""
    found: dict[str, list[Turn]] = {who: [] for who in contenders}
    for _ in range(rounds):
        for who in contenders:
            found[who].append(turn(who, *task))
    return found


def _said(python: Path, module: str, *arguments: str | Path) -> str:
    """The last line of what the module prints."""
    environment = {**os.environ, **_ONE_THREAD, "PYTHONPATH": str(_BENCHMARKS)}
    done = subprocess.run(
        [python, "-m", module, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{module} {' '.join(map(str, arguments))} ended with {done.returncode}: {done.stderr[-2_000:]}")
    return done.stdout.strip().rpartition("\n")[2]
