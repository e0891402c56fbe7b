"""JSON Schemas (2020-12) of the events, as their readers see them; descriptions are the docstrings of the models.

A reader's view: a field with a default need not be there, and unknown fields may be.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from regulars_contracts.envelope import CloudEvent
from regulars_contracts.events import ALL_EVENTS, Event

JsonObject = dict[str, object]

ENVELOPE = "envelope"
"""The file name of the envelope's own schema, beside those of the events."""


class _Plain(GenerateJsonSchema):
    """Leaves out the titles that Pydantic makes of field names: they say nothing."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def data_schema(event: type[Event]) -> JsonObject:
    """The schema of an event's `data`."""
    return _schema(event, event.type)


def all_schemas(events: Iterable[type[Event]] = ALL_EVENTS) -> dict[str, JsonObject]:
    """Every schema by the name of its file: the events' by their types, and the envelope's."""
    return {ENVELOPE: _schema(CloudEvent, ENVELOPE)} | {event.type: data_schema(event) for event in events}


def _schema(model: type[BaseModel], name: str) -> JsonObject:
    schema = model.model_json_schema(schema_generator=_Plain)
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": f"urn:regulars:{name}", **cast(JsonObject, schema)}
