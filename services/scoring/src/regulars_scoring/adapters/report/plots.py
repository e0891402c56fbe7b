"""What was foretold beside what came: over the weeks, by tenths, by chance of staying away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from regulars_scoring.adapters.report.svg import BLUE, INK, ORANGE, SOFT, Axes, Drawing, ticks_to
from regulars_scoring.domain.hindsight import ChurnBin, Hindsight, LiftTenth, TrackedWeek

_WIDE, _HIGH = 720, 380
_DATES_SHOWN = 6


def tracking_plot(hindsight: Hindsight) -> str:
    weeks = hindsight.weeks
    last = weeks[-1]
    told = f"By {last.ends} {last.actual:,} repeat purchases came, {last.expected:,.0f} were expected"
    drawing = Drawing(_WIDE, _HIGH, "Repeat purchases, actual and expected", told)
    ticks = ticks_to(max(last.actual, last.expected))
    start = weeks[0].ends
    axes = Axes(drawing, (last.ends - start).days, ticks[-1])
    axes.upright([(tick, f"{tick:,.0f}") for tick in ticks], "Repeat purchases so far")
    axes.level(_dates(weeks, start), "Week until")
    cut = (hindsight.cut - start).days
    drawing.line(axes.at(cut, 0), axes.at(cut, ticks[-1]), INK, dashes="3 4")
    edge = axes.at(cut, ticks[-1])
    drawing.words((edge[0] - 8, edge[1] + 14), "learnt from", size=12, colour=SOFT, anchor="end")
    drawing.words((edge[0] + 8, edge[1] + 14), "foretold", size=12, colour=SOFT)
    drawing.curve([axes.at((week.ends - start).days, week.actual) for week in weeks], INK)
    drawing.curve([axes.at((week.ends - start).days, week.expected) for week in weeks], BLUE, dashes="9 5")
    _key(drawing, [("actual", INK, "none"), ("expected", BLUE, "9 5")])
    return drawing.text()


def _dates(weeks: Sequence[TrackedWeek], start: date) -> list[tuple[float, str]]:
    every = max(1, len(weeks) // _DATES_SHOWN)
    return [((week.ends - start).days, week.ends.isoformat()) for week in weeks[every // 2 :: every]]


def _key(drawing: Drawing, entries: Sequence[tuple[str, str, str]]) -> None:
    left, top = Axes.LEFT + 16, Axes.TOP + 40
    for place, (words, colour, dashes) in enumerate(entries):
        level = top + 22 * place
        drawing.line((left, level), (left + 34, level), colour, width=2.5, dashes=dashes)
        drawing.words((left + 42, level + 4), words)


def lift_plot(tenths: Sequence[LiftTenth]) -> str:
    best = tenths[0]
    told = f"The best tenth spent {best.lift:.1f} times as much as the average customer"
    drawing = Drawing(_WIDE, 340, "Lift by tenths", told)
    ticks = ticks_to(max(1.0, *(each.lift for each in tenths)) * 1.05)
    axes = Axes(drawing, len(tenths), ticks[-1])
    axes.upright([(tick, f"{tick:g}×") for tick in ticks], "Spend beside the average")
    places = [(each.tenth - 0.5, str(each.tenth)) for each in tenths]
    axes.level(places, "Tenth of the customers by foretold spend (1: the best)")
    for each in tenths:
        left, top = axes.at(each.tenth - 0.86, max(each.lift, 0.0))
        right, ground = axes.at(each.tenth - 0.14, 0.0)
        drawing.rectangle((left, top), right - left, ground - top, BLUE)
    drawing.line(axes.at(0, 1), axes.at(len(tenths), 1), ORANGE, width=2, dashes="6 4")
    for each in tenths:
        across, top = axes.at(each.tenth - 0.5, max(each.lift, 0.0))
        drawing.words((across, top - 6), f"{each.lift:.1f}×", size=12, anchor="middle", clear=True)
    end = axes.at(len(tenths), 1)
    drawing.words((end[0], end[1] - 22), "average customer", size=12, colour=ORANGE, anchor="end", clear=True)
    return drawing.text()


def churn_plot(bins: Sequence[ChurnBin]) -> str:
    customers = sum(each.customers for each in bins)
    off = sum(abs(each.foretold - each.came) * each.customers for each in bins) / customers
    told = f"On average {off:.0%} apart, over {customers:,} customers"
    drawing = Drawing(460, 430, "Foretold and actual churn", told)
    axes = Axes(drawing, 1, 1)
    fifths = [(place / 5, f"{place * 20}%") for place in range(6)]
    axes.upright(fifths, "Did stay away")
    axes.level(fifths, "Foretold chance of staying away")
    drawing.line(axes.at(0, 0), axes.at(1, 1), ORANGE, width=2, dashes="6 4")
    drawing.curve([axes.at(each.foretold, each.came) for each in bins], BLUE, width=1.5)
    for each in bins:
        drawing.dot(axes.at(each.foretold, each.came), 4 + 14 * (each.customers / customers) ** 0.5, BLUE)
    drawing.words(axes.at(0.04, 0.93), "dashed: foretold and came alike", size=12, colour=ORANGE)
    return drawing.text()
