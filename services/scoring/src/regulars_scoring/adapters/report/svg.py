"""Drawings as SVG that stands in a page: shapes, words, and a pair of axes."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from xml.etree import ElementTree as Xml

INK, SOFT, RULE = "#1f2933", "#52606d", "#d5dbe1"
BLUE, ORANGE = "#0b62a4", "#c4500a"
"""Told apart by all kinds of eyes, in print without colour by their lightness and dashes."""

Point = tuple[float, float]


class Drawing:
    """`title` and `told` are what a screen reader says of it."""

    def __init__(self, width: int, height: int, title: str, told: str) -> None:
        self._root = Xml.Element("svg", {"viewBox": f"0 0 {width} {height}", "role": "img", "class": "chart"})
        self._root.set("aria-label", f"{title}. {told}")
        self.width, self.height = width, height

    def rectangle(self, at: Point, width: float, height: float, fill: str, stroke: str = "none") -> None:
        self._add("rect", x=at[0], y=at[1], width=width, height=max(height, 0.0), fill=fill, stroke=stroke)

    def line(self, start: Point, end: Point, colour: str = RULE, *, width: float = 1, dashes: str = "none") -> None:
        (x1, y1), (x2, y2) = start, end
        self._add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, stroke_width=width, stroke_dasharray=dashes)

    def curve(self, points: Sequence[Point], colour: str, *, width: float = 2.5, dashes: str = "none") -> None:
        path = " ".join(f"{_short(x)},{_short(y)}" for x, y in points)
        self._add("polyline", points=path, fill="none", stroke=colour, stroke_width=width, stroke_dasharray=dashes)

    def dot(self, at: Point, radius: float, fill: str) -> None:
        self._add("circle", cx=at[0], cy=at[1], r=radius, fill=fill, stroke="#ffffff", stroke_width=1)

    def words(
        self,
        at: Point,
        text: str,
        *,
        size: float = 13,
        colour: str = INK,
        anchor: str = "start",
        bold: bool = False,
        clear: bool = False,
    ) -> None:
        """`clear`: lines that run through the words are held off."""
        halo = {"stroke": "#ffffff", "stroke_width": "4", "paint_order": "stroke"} if clear else {}
        look = {"fill": colour, "text_anchor": anchor, "font_weight": "600" if bold else "400", **halo}
        self._add("text", text, x=at[0], y=at[1], font_size=size, **look)

    def sideways(self, at: Point, text: str) -> None:
        """Words that read upwards: the name of an upright axis."""
        turn = f"rotate(-90 {_short(at[0])} {_short(at[1])})"
        self._add("text", text, x=at[0], y=at[1], font_size=13, fill=SOFT, text_anchor="middle", transform=turn)

    def text(self) -> str:
        return Xml.tostring(self._root, encoding="unicode")

    def _add(self, tag: str, text: str | None = None, **said: float | str) -> None:
        attributes = {
            name.replace("_", "-"): value if isinstance(value, str) else _short(value) for name, value in said.items()
        }
        Xml.SubElement(self._root, tag, attributes).text = text


class Axes:
    """A plot from (0, 0) to the largest x and y, inside a drawing's margins."""

    LEFT, RIGHT, TOP, BOTTOM = 84, 28, 16, 54

    def __init__(self, drawing: Drawing, largest_x: float, largest_y: float) -> None:
        self._drawing = drawing
        self._x, self._y = largest_x or 1.0, largest_y or 1.0

    def at(self, x: float, y: float) -> Point:
        wide = self._drawing.width - self.LEFT - self.RIGHT
        high = self._drawing.height - self.TOP - self.BOTTOM
        return self.LEFT + wide * x / self._x, self.TOP + high * (1.0 - y / self._y)

    def upright(self, ticks: Sequence[tuple[float, str]], name: str) -> None:
        """Level rules at the ticks, their words at the left."""
        for value, words in ticks:
            left, right = self.at(0, value), self.at(self._x, value)
            self._drawing.line(left, right)
            self._drawing.words((left[0] - 8, left[1] + 4), words, anchor="end", colour=SOFT)
        self._drawing.sideways((18, self.at(0, self._y / 2)[1]), name)

    def level(self, ticks: Sequence[tuple[float, str]], name: str) -> None:
        for value, words in ticks:
            x, y = self.at(value, 0)
            self._drawing.words((x, y + 18), words, anchor="middle", colour=SOFT)
        self._drawing.line(self.at(0, 0), self.at(self._x, 0), INK)
        middle = self.at(self._x / 2, 0)
        self._drawing.words((middle[0], middle[1] + 42), name, anchor="middle", colour=SOFT)


def ticks_to(largest: float, wanted: int = 5) -> list[float]:
    """About as many round values from 0 on, the last of them at or above the largest."""
    if largest <= 0:
        return [0.0, 1.0]
    rough = largest / wanted
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    return [step * place for place in range(ceil(largest / step - 1e-9) + 1)]


def shade(share: float) -> tuple[str, str]:
    """A blue for 0 (nearly white) to 1, and black or white words, whichever stand out more: 4.5 to 1 at the least."""
    light, dark = (240, 246, 251), (8, 69, 132)
    strength = min(max(share, 0.0), 1.0)
    mixed = [round(pale + (full - pale) * strength) for pale, full in zip(light, dark, strict=True)]
    return "#{:02x}{:02x}{:02x}".format(*mixed), "#ffffff" if _luminance(mixed) < _MIDDLE else "#000000"


_MIDDLE = 0.179
"""The relative luminance that contrasts with black as with white."""


def _luminance(colour: Sequence[int]) -> float:
    """WCAG 2.2, relative luminance of sRGB."""
    parts = [each / 255 for each in colour]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
