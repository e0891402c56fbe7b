"""Every event of the product, and the way from a type's name to its class."""

from __future__ import annotations

from regulars_contracts.events import campaign, customer, gateway, loyalty, scoring
from regulars_contracts.events.base import Event, Part

ALL_EVENTS: tuple[type[Event], ...] = (
    *customer.EVENTS,
    *loyalty.EVENTS,
    *scoring.EVENTS,
    *campaign.EVENTS,
    *gateway.EVENTS,
)
_BY_TYPE = {event.type: event for event in ALL_EVENTS}


class UnknownEventType(ValueError):
    """No event of that type and version is known here: the writer is newer than this reader."""


def event_for(type: str) -> type[Event]:
    """The class of an event's type, `loyalty.purchase_recorded.v1`. Raises UnknownEventType."""
    try:
        return _BY_TYPE[type]
    except KeyError:
        raise UnknownEventType(f"no event of type {type!r} is known") from None


__all__ = ["ALL_EVENTS", "Event", "Part", "UnknownEventType", "event_for"]
