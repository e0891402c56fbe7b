"""Who is measured in which order: all of them in turn, and the whole round again, so that a slow minute of the machine
hits ours and its peers alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


class Failed(Exception):
    """Something was refused, lost or not there: no figure is better than a wrong one."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Purchases a second, and how long a request waited for its answer: None where that is not measured."""

    per_s: float
    p50_ms: float | None = None
    p99_ms: float | None = None


Measure = Callable[[], Reading]
Readings = Mapping[str, Sequence[Reading]]
"""The readings of each contender, one a round."""


def measure_in_turn(
    contenders: Mapping[str, Measure], rounds: int, before_each: Callable[[str], None] = lambda _: None
) -> Readings:
    """Measure every contender once a round, in the order given. Raises `Failed` with the contender's name."""
    readings: dict[str, list[Reading]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            before_each(name)
            readings[name].append(_measured(name, measure))
    return readings


def _measured(name: str, measure: Measure) -> Reading:
    try:
        return measure()
    except Failed as failure:
        raise Failed(f"{name}: {failure}") from failure
