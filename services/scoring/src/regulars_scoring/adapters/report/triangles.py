"""The triangles of cohorts as rows of shaded cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regulars_scoring.adapters.report.svg import shade
from regulars_scoring.domain.cohorts import Cohort, Triangle


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    fill: str
    ink: str
    is_open: bool
    """Its period has not ended yet."""


def retention_rows(triangle: Triangle) -> list[dict[str, object]]:
    """Shares of each cohort's customers; the deepest shade is the largest share after the first period."""
    most = max((share for cohort in triangle.cohorts for share in cohort.retention[1:]), default=1.0) or 1.0
    return [
        _row(triangle, cohort, [(f"{share:.0%}", share / most) for share in cohort.retention])
        for cohort in triangle.cohorts
    ]


def revenue_rows(triangle: Triangle, unit: int) -> list[dict[str, object]]:
    """Revenue per customer of the cohort, in major units of which each has `unit` minor ones."""
    worth = [[minor / unit for minor in cohort.revenue_per_customer_minor] for cohort in triangle.cohorts]
    most = max((each for row in worth for each in row), default=1.0) or 1.0
    digits = 0 if most >= 100 else 1
    return [
        _row(triangle, cohort, [(f"{each:,.{digits}f}", each / most) for each in row])
        for cohort, row in zip(triangle.cohorts, worth, strict=True)
    ]


def _row(triangle: Triangle, cohort: Cohort, cells: Sequence[tuple[str, float]]) -> dict[str, object]:
    last = len(cells) - 1
    shaded = [
        Cell(text, *shade(0.85 * share), is_open=place == last and not triangle.has_ended)
        for place, (text, share) in enumerate(cells)
    ]
    return {"label": cohort.label, "customers": f"{cohort.customers:,}", "cells": [_said(cell) for cell in shaded]}


def _said(cell: Cell) -> dict[str, object]:
    return {"text": cell.text, "fill": cell.fill, "ink": cell.ink, "is_open": cell.is_open}
