"""The pieces of what is heard, as every teller makes them of an event and its envelope."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from regulars_contracts.envelope import CloudEvent
from regulars_contracts.events import Event
from regulars_customer.domain.heard import Heard, Part, PartKind
from regulars_customer.domain.timeline import Entry, Figures, Kind
from regulars_kit.values import CustomerId

Some = TypeVar("Some", bound=Event)

Teller = Callable[[Some, CloudEvent], Heard | None]
"""An event and its envelope, in the words of our own domain; None: it concerns no customer."""


def entry(
    kind: Kind,
    envelope: CloudEvent,
    customer_id: UUID | None,
    occurred_at: datetime,
    figures: Figures,
    purchase_id: UUID | None = None,
) -> Entry:
    owner = None if customer_id is None else CustomerId(customer_id)
    return Entry(envelope.id, kind, owner, occurred_at, envelope.time, figures, purchase_id)


def part(
    kind: PartKind, envelope: CloudEvent, customer_id: UUID, name: str, figures: Figures, rank: int | None = None
) -> Part:
    """Without a rank of its own, a part is as new as its telling: a customer's events come in the order of that."""
    told = int(envelope.time.timestamp() * 1_000_000) if rank is None else rank
    return Part(CustomerId(customer_id), kind, name, figures, told, envelope.time)
