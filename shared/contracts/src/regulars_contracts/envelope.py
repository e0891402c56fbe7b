"""The envelope of every event: CloudEvents 1.0 in its structured JSON form.

Two ways write it: `envelope(...).to_bytes()` from a checked model, and `encode(...)`, which trusts its caller and is
several times quicker, for the till's path. Both write the same bytes for the same fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic_core import to_json

from regulars_contracts.events import Event, event_for
from regulars_contracts.fields import Instant, Text

CONTENT_TYPE = "application/cloudevents+json"
"""The media type of the bytes, on the bus and in webhooks."""

Source = Annotated[str, StringConstraints(pattern=r"^/regulars/[a-z]+$")]
EventType = Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z][a-z0-9_]*\.v[1-9][0-9]*$")]


class CloudEvent(BaseModel):
    """An event on its way. Extension attributes of other writers are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    """Names the event for ever: a redelivery and a replay carry the same one."""
    source: Source
    """`/regulars/<service>`."""
    type: EventType
    """`<service>.<past_tense>.v<n>`."""
    subject: Text
    """The key of the event's order, which is the customer's id wherever there is one."""
    time: Instant
    """When the fact was recorded; when it happened in the shop is `occurred_at` within the data."""
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, object]

    def event(self) -> Event:
        """The fact itself, checked. Raises UnknownEventType, or ValidationError when the data does not fit its type."""
        return event_for(self.type).model_validate(self.data)

    def to_bytes(self) -> bytes:
        """Compact UTF-8 JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def of(cls, data: Event, *, source_service: str, subject: str | UUID, time: datetime, id: UUID) -> Self:
        """Wrap a fact of the named service (`loyalty`)."""
        return cls(
            id=id,
            source=source_of(source_service),
            type=data.type,
            subject=str(subject),
            time=time,
            data=data.model_dump(mode="json"),
        )


envelope = CloudEvent.of


def source_of(service: str) -> str:
    """The CloudEvents `source` of a service: loyalty is `/regulars/loyalty`."""
    return f"/regulars/{service}"


def parse(body: bytes) -> CloudEvent:
    """Read an envelope; its data stays unread until `event()`. Raises pydantic's ValidationError, a ValueError."""
    return CloudEvent.model_validate_json(body)


def encode(
    *, type: str, source: str, subject: str | UUID, id: str | UUID, time: datetime, data: Mapping[str, object]
) -> bytes:
    """The bytes of an event whose writer vouches for it: nothing is checked.

    `source` is written as `/regulars/<service>`. `data` may hold UUIDs, dates and aware UTC datetimes beside JSON's own
    values, and nothing else; its fields stand in the order given. A purchase of three lines takes 6 µs, checked 31 µs.
    """
    return to_json(
        {
            "specversion": "1.0",
            "id": id,
            "source": source,
            "type": type,
            "subject": subject,
            "time": time,
            "datacontenttype": "application/json",
            "data": data,
        }
    )
