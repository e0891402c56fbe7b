"""How everybody is spread: over the cells of RFM, the segments, the tenths by expected value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np
from numpy.typing import NDArray

from regulars_scoring.adapters.engine.drafting import Drafts
from regulars_scoring.adapters.engine.population import Floats, Ints, Population
from regulars_scoring.domain.findings import SegmentCount, Tenth
from regulars_scoring.domain.model import MBG_NBD
from regulars_scoring.domain.plain_words import notes_of
from regulars_scoring.domain.rfm import SCORES, SEGMENTS, segment_of


def cells_of(drafts: Drafts) -> dict[tuple[int, int], int]:
    """Customers by their scores of recency and frequency, the empty cells too."""
    return count_cells(drafts.recency, drafts.frequency, np.ones_like(drafts.recency))


def count_cells(recency: Ints, frequency: Ints, customers: Ints) -> dict[tuple[int, int], int]:
    """The same, of so many customers with the scores of each row."""
    counts = np.bincount(recency * (SCORES + 1) + frequency, customers, minlength=(SCORES + 1) ** 2)
    scores = range(1, SCORES + 1)
    return {(r, f): int(counts[r * (SCORES + 1) + f]) for r in scores for f in scores}


def segments_by_scores(recency: Ints, frequency: Ints) -> NDArray[np.object_]:
    """The names of the segments that the scores lead to."""
    scores = range(SCORES + 1)
    names = np.array([[segment_of(r, f) if r and f else "" for f in scores] for r in scores], dtype=object)
    return names[recency, frequency]


def segments_of(drafts: Drafts, population: Population, clv: Floats) -> tuple[SegmentCount, ...]:
    """Every segment in the grid's order, the empty ones too."""
    names = np.array([[_segment(r, f) for f in range(SCORES + 1)] for r in range(SCORES + 1)])
    places = names[drafts.recency, drafts.frequency]
    found = []
    for place, name in enumerate(SEGMENTS):
        inside = places == place
        revenue = int(population.total_minor[inside].sum())
        found.append(SegmentCount(name, int(inside.sum()), revenue, float(clv[inside].sum())))
    return tuple(found)


def _segment(recency: int, frequency: int) -> int:
    return SEGMENTS.index(segment_of(recency, frequency)) if recency and frequency else -1


def tenths_of(drafts: Drafts, population: Population, clv: Floats) -> tuple[Tenth, ...]:
    """Deciles by expected value with their share of revenue; ties can leave one empty, which is then missing."""
    revenue = int(population.total_minor.sum())
    found = []
    for decile in np.unique(drafts.decile).tolist():
        inside = drafts.decile == decile
        minor = int(population.total_minor[inside].sum())
        share = minor / revenue if revenue > 0 else None
        found.append(Tenth(decile, int(inside.sum()), minor, share, float(clv[inside].sum())))
    return tuple(found)


def remarks_of(drafts: Drafts) -> tuple[str, ...]:
    """What is wrong with the fit, in plain words; nothing of a sound one."""
    fits = cast("Mapping[str, Mapping[str, list[str]]]", drafts.report["fits"])
    spending = cast("Mapping[str, object]", drafts.report["spending"])
    degeneracies = fits.get(MBG_NBD, {}).get("degeneracies", [])
    return notes_of(drafts.model.name, degeneracies, cast("str | None", spending["refusal"]))
