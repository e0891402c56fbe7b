"""The names of what a run finds out about everybody."""

from __future__ import annotations

from regulars_scoring.domain.cohorts import Span

DECILE_GOODS = "deciles/goods"


def cohorts_name(span: Span) -> str:
    return f"cohorts/{span}"


def audit_name(window_days: int) -> str:
    return f"audit/{window_days}"
