"""How an endpoint fares: after many failures in a row it is only probed, after days of them it is given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from regulars_gateway.domain.attempts import Attempt

PROBED_AFTER = 20
"""Failures in a row, after which one delivery at a time goes out until one succeeds."""

GIVEN_UP_AFTER = timedelta(days=5)
GONE = 410


@dataclass(frozen=True, slots=True)
class Health:
    """`failing_since` None: the last attempt succeeded. `probe_at`: the next probe goes out no sooner."""

    failures_in_row: int = 0
    failing_since: datetime | None = None
    probe_at: datetime | None = None

    @property
    def is_probed(self) -> bool:
        return self.failures_in_row >= PROBED_AFTER


HEALTHY = Health()


@dataclass(frozen=True, slots=True)
class Verdict:
    """`give_up` is the reason to disable the endpoint (`gone`, `failing`), None to go on."""

    health: Health
    give_up: str | None = None


def judge(health: Health, attempts: Sequence[Attempt], probe_every: timedelta) -> Verdict:
    """What the attempts, in the order they ended, make of an endpoint's health."""
    for attempt in attempts:
        if attempt.succeeded:
            health = HEALTHY
            continue
        since = health.failing_since or attempt.at
        health = replace(health, failures_in_row=health.failures_in_row + 1, failing_since=since)
        if attempt.status == GONE:
            return Verdict(health, "gone")
        if attempt.at - since >= GIVEN_UP_AFTER:
            return Verdict(health, "failing")
        if health.is_probed:
            health = replace(health, probe_at=attempt.at + probe_every)
    return Verdict(health)
