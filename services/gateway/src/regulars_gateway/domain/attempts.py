"""One try to deliver, and when the next one is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

ANSWER_CHARS = 500
"""Of a receiver's answer that are kept: enough for its error message."""

RETRY_AFTER_AT_MOST = timedelta(days=1)
"""A receiver cannot put a delivery off for longer than this at a time."""


class State(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Attempt:
    """`status` None: no answer came, and `error` says why in one word. `retry_after_s`: what the receiver asked for."""

    at: datetime
    duration_ms: int
    status: int | None = None
    error: str | None = None
    answer_start: str = ""
    retry_after_s: float | None = None

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a delivery: `next_at` is set while it is pending."""

    state: State
    tries: int
    next_at: datetime | None = None


def next_step(tries: int, attempt: Attempt, schedule: Sequence[timedelta], jitter: float) -> Step:
    """After an attempt that was preceded by `tries` others: delivered, due again, or exhausted.

    `jitter` lengthens the wait by that share (0.1 is a tenth), so that what failed together does not come back as
    one. `Retry-After` can lengthen it, never shorten it.
    """
    tries += 1
    if attempt.succeeded:
        return Step(State.DELIVERED, tries)
    if tries > len(schedule):
        return Step(State.EXHAUSTED, tries)
    wait = schedule[tries - 1] * (1 + jitter)
    if attempt.retry_after_s is not None:
        wait = max(wait, min(timedelta(seconds=attempt.retry_after_s), RETRY_AFTER_AT_MOST))
    return Step(State.PENDING, tries, attempt.at + wait)
