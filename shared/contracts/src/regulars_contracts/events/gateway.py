"""What the gateway announces about its own work. Keyed by the endpoint's id."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from regulars_contracts.events.base import Event
from regulars_contracts.fields import Code, Instant


class EndpointDisabled(Event):
    """A webhook endpoint gets no more deliveries until somebody enables it."""

    type: ClassVar[str] = "gateway.endpoint_disabled.v1"
    endpoint_id: UUID
    reason: Code
    """`gone` (it answered 410) or `failing` (five days without a success)."""
    disabled_at: Instant


EVENTS: tuple[type[Event], ...] = (EndpointDisabled,)
