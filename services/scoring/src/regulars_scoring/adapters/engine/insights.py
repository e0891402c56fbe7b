"""What a run finds out about everybody besides scores: triangles of cohorts, and audits over the usual windows.

They are read from the run and not reckoned at each call: each takes a pass over all days.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from regulars_scoring.adapters.engine.audit import audited
from regulars_scoring.adapters.engine.cohorts import cohort_cells_of
from regulars_scoring.adapters.engine.gaps import gaps_of, shortest_first
from regulars_scoring.adapters.engine.ledger import Ledger
from regulars_scoring.domain.audit import WINDOWS_DAYS, Audit
from regulars_scoring.domain.cohorts import SPANS, triangle_of
from regulars_scoring.domain.insights import audit_name, cohorts_name
from regulars_scoring.domain.rfm_settings import RfmSettings


def insights_of(ledger: Ledger, as_of: date, rfm: RfmSettings) -> dict[str, dict[str, Any]]:
    """By name, as JSON."""
    found: dict[str, dict[str, Any]] = {}
    for span in SPANS:
        triangle = triangle_of(cohort_cells_of(ledger, span, as_of), span, as_of)
        found[cohorts_name(span)] = {**asdict(triangle), "as_of": as_of.isoformat()}
    gaps = shortest_first(gaps_of(ledger.occasions))
    for window_days in WINDOWS_DAYS:
        found[audit_name(window_days)] = _document(audited(ledger, gaps, as_of, window_days, rfm))
    return found


def _document(audit: Audit) -> dict[str, Any]:
    windows = {
        name: {"first": window.first.isoformat(), "last": window.last.isoformat()}
        for name, window in (("now", audit.now), ("before", audit.before))
    }
    days = {"as_of": audit.as_of.isoformat(), "history_from": audit.history_from.isoformat()}
    return {**asdict(audit), **windows, **days}
