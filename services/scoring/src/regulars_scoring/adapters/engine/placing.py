"""Everybody's places in RFM, by the shop's settings, as on the day of the run or on a day before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regulars_scoring.adapters.engine.cutting import fifths_of
from regulars_scoring.adapters.engine.ledger import Ledger
from regulars_scoring.adapters.engine.occasions import past_of
from regulars_scoring.adapters.engine.population import Ints, Population
from regulars_scoring.domain.grid import SCORES, Grid
from regulars_scoring.domain.rfm import Cuts, NestedCuts, RfmCuts
from regulars_scoring.domain.rfm_settings import OwnCuts, RfmSettings

SCORED = range(1, SCORES + 1)


@dataclass(frozen=True, slots=True)
class Axes:
    """Columns, more is better on each: negated days since the last occasion, occasions, net minor units."""

    recency: Ints
    frequency: Ints
    monetary: Ints


@dataclass(frozen=True, slots=True)
class Places:
    """Scores of 1 to 5, as columns."""

    recency: Ints
    frequency: Ints
    monetary: Ints

    def segments(self, grid: Grid) -> Ints:
        """Their segments, as places among the grid's."""
        return segments_by(grid, self.recency, self.frequency)


def segments_by(grid: Grid, recency: Ints, frequency: Ints) -> Ints:
    """The segments that the scores lead to, as places among the grid's."""
    places = [[grid.segments.index(grid.segment_of(r, f)) for f in SCORED] for r in SCORED]
    return np.array(places, dtype=np.int64)[recency - 1, frequency - 1]


def axes_of(population: Population) -> Axes:
    """Over all history."""
    return Axes(population.t_x - population.T, population.x + 1, population.total_minor)


def axes_at(ledger: Ledger, days_ago: int, window_days: int | None) -> tuple[Ints, Axes]:
    """At the end of the day so long ago: the rows of those who had an occasion by then, and their axes."""
    past = past_of(ledger.occasions, days_ago)
    counts = ledger.age >= days_ago
    if window_days is not None:
        counts &= ledger.age < days_ago + window_days
    visits = np.bincount(ledger.customer[counts & ledger.is_occasion], minlength=ledger.customers)
    net = np.zeros(ledger.customers, np.int64)
    np.add.at(net, ledger.customer[counts], ledger.net_minor[counts])
    here = past.customer
    return here, Axes(past.t_x - past.T, visits[here].astype(np.int64), net[here])


def cuts_for(axes: Axes, settings: RfmSettings) -> RfmCuts:
    """The shop's own cuts, and fifths of these customers where it has none."""
    own = settings.cuts
    cuts = RfmCuts(
        own.recency or fifths_of(axes.recency),
        own.frequency or fifths_of(axes.frequency),
        own.monetary_minor or fifths_of(axes.monetary),
    )
    return replace(cuts, nested=_nested(axes, cuts, own)) if settings.is_nested else cuts


def _nested(axes: Axes, cuts: RfmCuts, own: OwnCuts) -> NestedCuts:
    """Where nobody is alike on the axes before, and where the shop has its own, the cuts among all customers hold."""
    frequency_cuts, monetary_cuts = [], []
    recency = scores_by(cuts.recency, axes.recency)
    for score in SCORED:
        alike = recency == score
        frequency_cuts.append(_within(alike, axes.frequency, cuts.frequency, own.frequency))
        frequency = scores_by(frequency_cuts[-1], axes.frequency)
        both = [alike & (frequency == other) for other in SCORED]
        monetary_cuts.append(tuple(_within(each, axes.monetary, cuts.monetary, own.monetary_minor) for each in both))
    return NestedCuts(tuple(frequency_cuts), tuple(monetary_cuts))


def _within(alike: NDArray[np.bool_], values: Ints, among_all: Cuts, own: Cuts | None) -> Cuts:
    return among_all if own is not None or not alike.any() else fifths_of(values[alike])


def places_by(cuts: RfmCuts, axes: Axes) -> Places:
    """As `domain.rfm.cell_of`."""
    recency = scores_by(cuts.recency, axes.recency)
    if cuts.nested is None:
        return Places(recency, scores_by(cuts.frequency, axes.frequency), scores_by(cuts.monetary, axes.monetary))
    frequency = _scores_within([recency], cuts.nested.frequency, axes.frequency)
    flat = [each for row in cuts.nested.monetary for each in row]
    return Places(recency, frequency, _scores_within([recency, frequency], flat, axes.monetary))


def _scores_within(before: Sequence[Ints], cuts: Sequence[Cuts], values: Ints) -> Ints:
    """Each customer by the cuts of their scores on the axes before."""
    place = np.zeros(values.size, np.int64)
    for scores in before:
        place = SCORES * place + scores - 1
    found = np.empty(values.size, np.int64)
    for number, cut in enumerate(cuts):
        alike = place == number
        found[alike] = scores_by(cut, values[alike])
    return found


def scores_by(cuts: Cuts, values: Ints) -> Ints:
    """As `domain.rfm.score_by`."""
    score = np.ones(values.size, np.int64)
    for cut in cuts:
        if cut is not None:
            score += values >= cut
    return score
