"""How everybody is spread: over the cells of RFM and the segments; and what is to be known of the fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from regulars_scoring.adapters.engine.drafting import Drafts
from regulars_scoring.adapters.engine.population import Floats, Ints, Population
from regulars_scoring.domain.findings import SegmentCount
from regulars_scoring.domain.grid import SCORES
from regulars_scoring.domain.model import MBG_NBD
from regulars_scoring.domain.plain_words import notes_of


def cells_of(drafts: Drafts) -> dict[tuple[int, int], int]:
    """Customers by their scores of recency and frequency, the empty cells too."""
    return count_cells(drafts.recency, drafts.frequency, np.ones_like(drafts.recency))


def count_cells(recency: Ints, frequency: Ints, customers: Ints) -> dict[tuple[int, int], int]:
    """The same, of so many customers with the scores of each row."""
    counts = np.bincount(recency * (SCORES + 1) + frequency, customers, minlength=(SCORES + 1) ** 2)
    scores = range(1, SCORES + 1)
    return {(r, f): int(counts[r * (SCORES + 1) + f]) for r in scores for f in scores}


def segments_of(drafts: Drafts, population: Population, clv: Floats) -> tuple[SegmentCount, ...]:
    """Every segment in the grid's order, the empty ones too."""
    segments = np.array(drafts.segment)
    found = []
    for name in drafts.model.grid.segments:
        inside = segments == name
        revenue = int(population.total_minor[inside].sum())
        found.append(SegmentCount(name, int(inside.sum()), revenue, float(clv[inside].sum())))
    return tuple(found)


def remarks_of(drafts: Drafts) -> tuple[str, ...]:
    """What is wrong with the fit, in plain words; nothing of a sound one."""
    fits = cast("Mapping[str, Mapping[str, list[str]]]", drafts.report["fits"])
    spending = cast("Mapping[str, object]", drafts.report["spending"])
    degeneracies = fits.get(MBG_NBD, {}).get("degeneracies", [])
    return notes_of(drafts.model.name, degeneracies, cast("str | None", spending["refusal"]))
