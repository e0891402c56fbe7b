"""Any event that its schema allows, as JSON: what the properties of this folder are tried on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import cast
from uuid import UUID

from hypothesis import strategies as st

from regulars_contracts.events import Event
from regulars_contracts.generate import read_json
from regulars_contracts.personal_data import is_personal
from regulars_contracts.schemas import JsonObject, data_schema
from regulars_contracts.topics import CONTRACTS

EXAMPLES = read_json(CONTRACTS / "examples")
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
AN_ID = UUID("0197a3d2-6f00-7e21-b1c4-90a7d35e2b10")

_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_FORMATS = {
    "uuid": st.uuids().map(str),
    "date": st.dates().map(lambda day: day.isoformat()),
    "date-time": st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=_OFFSETS).map(
        lambda instant: instant.isoformat()
    ),
}
# A surrogate on its own is no text: UTF-8 cannot write it.
_CHARACTERS = st.characters(exclude_categories=["Cs"])


def an_example(type: str) -> JsonObject:
    """A fresh copy of the data of an event's example."""
    return cast(JsonObject, json.loads(json.dumps(EXAMPLES[type]["data"])))


@cache
def any_data(event: type[Event]) -> st.SearchStrategy[JsonObject]:
    """Data of the event, with and without what may be left out."""
    schema = data_schema(event)
    return cast("st.SearchStrategy[JsonObject]", _any(schema, schema))


def _any(schema: JsonObject, root: JsonObject) -> st.SearchStrategy[object]:
    if "$ref" in schema:
        return _any(_part(root["$defs"], str(schema["$ref"]).rpartition("/")[2]), root)
    if "anyOf" in schema:
        return st.one_of([_any(form, root) for form in cast("list[JsonObject]", schema["anyOf"])])
    match schema["type"]:
        case "object":
            return _any_object(schema, root)
        case "array":
            return st.lists(_any(_part(schema, "items"), root), max_size=3)
        case "string":
            return _any_text(schema)
        case "integer":
            return st.integers(cast("int | None", schema.get("minimum")), cast("int | None", schema.get("maximum")))
        case "boolean":
            return st.booleans()
        case other:
            assert other == "null", f"no way to make a {other}"
            return st.none()


def _any_object(schema: JsonObject, root: JsonObject) -> st.SearchStrategy[object]:
    for pattern, values in cast("dict[str, JsonObject]", schema.get("patternProperties", {})).items():
        keys = st.from_regex(pattern, fullmatch=True).filter(lambda key: not is_personal(key))
        return st.dictionaries(keys, _any(values, root), max_size=3)
    fields = {name: _any(field, root) for name, field in cast("dict[str, JsonObject]", schema["properties"]).items()}
    required = cast("list[str]", schema.get("required", []))
    return st.fixed_dictionaries(
        {name: fields[name] for name in required},
        optional={name: field for name, field in fields.items() if name not in required},
    )


def _any_text(schema: JsonObject) -> st.SearchStrategy[str]:
    if "format" in schema:
        return _FORMATS[str(schema["format"])]
    if "pattern" in schema:
        return st.from_regex(str(schema["pattern"]), fullmatch=True)
    return st.text(_CHARACTERS, min_size=cast(int, schema.get("minLength", 0)), max_size=12)


def _part(parent: object, name: str) -> JsonObject:
    return cast(JsonObject, cast("Mapping[str, object]", parent)[name])
