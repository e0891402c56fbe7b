"""Two sorted streams side by side: what both say, what one says otherwise, what only one says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

MOST_KEPT = 20
"""Differences that are kept to be shown; the others are counted."""

Row = tuple[UUID, str, str]
"""Of whom, which figure, what it is. A stream is in the order of the first two, and leaves out what is nothing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`told` is what the facts say, `known` what the projection does; None: nothing."""

    who: str
    figure: str
    told: str | None
    known: str | None


@dataclass(slots=True)
class Outcome:
    """What a comparison came to. `compared`: customers (events, for the feed; groups, for the bus)."""

    name: str
    compared: int = 0
    differences: int = 0
    first: list[Difference] = field(default_factory=list)

    def add(self, difference: Difference) -> None:
        self.differences += 1
        if len(self.first) < MOST_KEPT:
            self.first.append(difference)


async def compared(name: str, told: AsyncIterator[Row], known: AsyncIterator[Row]) -> Outcome:
    """Hold the streams against each other; no more than a row of each is in memory."""
    outcome, last = Outcome(name), None
    async for who, figure, left, right in _side_by_side(told, known):
        outcome.compared += who != last
        last = who
        if left != right:
            outcome.add(Difference(str(who), figure, left, right))
    return outcome


async def _side_by_side(
    told: AsyncIterator[Row], known: AsyncIterator[Row]
) -> AsyncIterator[tuple[UUID, str, str | None, str | None]]:
    left, right = await anext(told, None), await anext(known, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left[:2] < right[:2]):
            assert left is not None
            yield *left, None
            left = await anext(told, None)
        elif left is None or right[:2] < left[:2]:
            yield *right[:2], None, right[2]
            right = await anext(known, None)
        else:
            yield *left, right[2]
            left, right = await anext(told, None), await anext(known, None)
