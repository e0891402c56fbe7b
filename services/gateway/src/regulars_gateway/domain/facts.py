"""What the gateway tells the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class EndpointDisabled:
    """`reason` is `gone` or `failing`."""

    endpoint_id: UUID
    reason: str
    at: datetime
