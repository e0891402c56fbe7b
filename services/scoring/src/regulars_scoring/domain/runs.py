"""A run over everybody: what was asked for, how far it is, how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from regulars_scoring.domain.choice import Asked

RunState = Literal["queued", "running", "publishing", "completed", "failed", "cancelled"]

Report = Mapping[str, object]
"""What the worker says of its fit and of all scores, as JSON."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is to do: of which day, how far ahead, by which model."""

    as_of: date
    horizon_days: int
    model: Asked


@dataclass(frozen=True, slots=True)
class Run:
    """`published` counts the customers whose figures changed, `alarms` those who entered the high churn band."""

    id: UUID
    job_id: str
    state: RunState
    as_of: date
    horizon_days: int
    asked_model: Asked
    created_at: datetime
    completed_at: datetime | None = None
    customers: int | None = None
    published: int = 0
    alarms: int = 0
    failure_code: str | None = None
    failure_detail: str | None = None
    report: Report | None = None


def is_due(now: datetime, at: time, zone: ZoneInfo, last_run: datetime | None, known_since: datetime | None) -> bool:
    """Whether the nightly run is due: its hour has passed, and no run was begun since.

    A shop that is younger than its last such hour (`known_since`; None: nobody has bought) waits for the next one.
    """
    local = now.astimezone(zone)
    hour = datetime.combine(local.date(), at, zone)
    if hour > local:
        hour -= timedelta(days=1)
    is_old_enough = known_since is not None and known_since < hour
    return is_old_enough and (last_run is None or last_run < hour)
