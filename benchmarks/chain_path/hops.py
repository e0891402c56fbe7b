"""How long each step took: from instants to waits, from waits to percentiles. Nothing is measured here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from purchase_path.measuring import Failed

Instants = Mapping[UUID, float]
"""When it happened to each customer, in Unix time."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long each of the purchases waited, in seconds, and how many a second came through."""

    seconds: Sequence[float]
    per_s: float

    @property
    def p50_ms(self) -> float:
        return percentile(self.seconds, 0.50) * 1e3

    @property
    def p99_ms(self) -> float:
        return percentile(self.seconds, 0.99) * 1e3


def percentile(values: Sequence[float], share: float) -> float:
    """The least of the values that so large a share of them does not exceed (nearest rank); some value of them all."""
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def waits(since: Instants, until: Instants) -> Waits:
    """From the one to the other, for every customer of `since`. Raises `Failed` when it never happened to one of them.

    So many a second: all of them, over the time from the first beginning to the last end. That is a little less than
    came in, by the last one's wait; where a queue grows it is much less.
    """
    if missing := since.keys() - until.keys():
        raise Failed(f"it never happened to {len(missing)} of {len(since)} customers")
    seconds = [until[customer] - began for customer, began in since.items()]
    took_s = max(until[customer] for customer in since) - min(since.values())
    return Waits(seconds, len(seconds) / took_s)


def first_of(told: Sequence[tuple[UUID, float]]) -> dict[UUID, float]:
    """The first instant of each customer: what comes again is not news."""
    first: dict[UUID, float] = {}
    for customer, at in told:
        first[customer] = min(at, first.get(customer, at))
    return first
