"""The segment grid: which name each cell of recency and frequency bears. It is data: a shop may have its own."""

from __future__ import annotations

from dataclasses import dataclass

SCORES = 5


@dataclass(frozen=True, slots=True)
class Area:
    """All cells with one of these scores of recency and one of these of frequency."""

    segment: str
    recency: tuple[int, ...]
    frequency: tuple[int, ...]

    def holds(self, recency: int, frequency: int) -> bool:
        return recency in self.recency and frequency in self.frequency


@dataclass(frozen=True, slots=True)
class Grid:
    """Areas that cover each of the 25 cells once. Several may bear one name: a segment need not be a rectangle."""

    areas: tuple[Area, ...]

    def segment_of(self, recency: int, frequency: int) -> str:
        """The segment that a cell belongs to, whatever its monetary score; every cell has one."""
        return next(area.segment for area in self.areas if area.holds(recency, frequency))

    @property
    def segments(self) -> tuple[str, ...]:
        """The names, each once, in the order of the areas."""
        return tuple(dict.fromkeys(area.segment for area in self.areas))


DEFAULT_GRID = Grid(
    (
        Area("hibernating", (1, 2), (1, 2)),
        Area("at risk", (1, 2), (3, 4)),
        Area("can't lose", (1, 2), (5,)),
        Area("about to sleep", (3,), (1, 2)),
        Area("need attention", (3,), (3,)),
        Area("loyal", (3, 4), (4, 5)),
        Area("promising", (4,), (1,)),
        Area("new", (5,), (1,)),
        Area("potential loyalists", (4, 5), (2, 3)),
        Area("champions", (5,), (4, 5)),
    )
)
