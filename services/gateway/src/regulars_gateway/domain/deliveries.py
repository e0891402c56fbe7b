"""An event on its way to an endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from regulars_gateway.domain.attempts import Attempt, State
from regulars_gateway.domain.endpoints import Secret

Lane = tuple[UUID, str]
"""Endpoint and subject. Within a lane one delivery at a time, in order: that is a customer's order per endpoint."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it came from the bus: `body` is the CloudEvent, byte for byte what receivers get."""

    id: UUID
    type: str
    subject: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event of the feed. `sequence` counts from 1 without a gap."""

    sequence: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery to be tried now; `tries` were made before."""

    id: UUID
    tries: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """A lane that is ours until the lease ends, with its next deliveries in order. `claim` fences late writers off."""

    claim: UUID
    endpoint_id: UUID
    subject: str
    url: str
    secrets: tuple[Secret, ...]
    due: Sequence[Due]


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one try of one delivery."""

    delivery_id: UUID
    tries_before: int
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class LaneReport:
    """What was done under one claim: a try of each delivery in order, up to the first that failed."""

    claim: UUID
    endpoint_id: UUID
    subject: str
    tried: Sequence[Tried]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it is shown. `tries` counts since it was last (re)sent; `attempts` are all of them."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    subject: str
    state: State
    tries: int
    created_at: datetime
    next_at: datetime | None
    attempts: Sequence[Attempt]


def webhook_id(delivery_id: UUID) -> str:
    """The `webhook-id`: the same for every attempt, so that a receiver knows a repetition."""
    return f"msg_{delivery_id.hex}"
