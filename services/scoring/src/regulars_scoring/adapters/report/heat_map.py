"""Recency by frequency: how many customers score how, and the segments that the cells make up."""

from __future__ import annotations

from collections.abc import Mapping

from regulars_scoring.adapters.report.svg import SOFT, Drawing, shade
from regulars_scoring.domain.grid import SCORES, Grid

_CELL, _HIGH, _LEFT, _TOP = 118, 74, 74, 10


def heat_map(cells: Mapping[tuple[int, int], int], grid: Grid) -> str:
    customers, most = sum(cells.values()), max(cells.values())
    width, height = _LEFT + SCORES * _CELL + 10, _TOP + SCORES * _HIGH + 62
    told = f"{customers:,} customers by how lately and how often they bought; the fullest cell holds {most:,}"
    drawing = Drawing(width, height, "RFM heat map", told)
    for (recency, frequency), count in cells.items():
        place = _cell(drawing, recency, frequency, (count / most) ** 0.5)
        _words(drawing, place, grid.segment_of(recency, frequency), count, count / customers)
    for score in range(1, SCORES + 1):
        drawing.words((_LEFT - 12, _middle(score) + 5), str(score), anchor="end", bold=True)
        across = _LEFT + (score - 0.5) * _CELL
        drawing.words((across, _TOP + SCORES * _HIGH + 20), str(score), anchor="middle", bold=True)
    drawing.sideways((24, _TOP + SCORES * _HIGH / 2), "How lately they bought (5: most lately)")
    middle = _LEFT + SCORES * _CELL / 2
    drawing.words((middle, height - 12), "How often they bought (5: most often)", anchor="middle", colour=SOFT)
    return drawing.text()


def _middle(recency: int) -> float:
    return _TOP + (SCORES - recency + 0.5) * _HIGH


Place = tuple[float, float, str]
"""Middle, top, and the colour of words on it."""


def _cell(drawing: Drawing, recency: int, frequency: int, strength: float) -> Place:
    """The root of the count gives the shade: else the fullest cell would leave all others white."""
    fill, ink = shade(strength)
    left, top = _LEFT + (frequency - 1) * _CELL, _TOP + (SCORES - recency) * _HIGH
    drawing.rectangle((left, top), _CELL, _HIGH, fill, stroke="#ffffff")
    return left + _CELL / 2, top, ink


def _words(drawing: Drawing, place: Place, segment: str, count: int, share: float) -> None:
    middle, top, ink = place
    drawing.words((middle, top + 20), segment, size=11.5, colour=ink, anchor="middle")
    shown = f"{count:,}" if count else "–"
    drawing.words((middle, top + 43), shown, size=17, colour=ink, anchor="middle", bold=True)
    if count:
        drawing.words((middle, top + 61), f"{share:.1%}", size=11.5, colour=ink, anchor="middle")
