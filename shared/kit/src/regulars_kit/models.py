"""The shapes of requests and answers: strict models and the field types they are made of."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    PlainValidator,
    Strict,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError

from regulars_kit.limits import LIMITS

# JSON has no UUID, no enumeration, no tuple: in a strict model these alone may be read from text and list.
_READ_FROM_JSON = {"uuid", "enum", "tuple", "set", "frozenset"}


def _read_from_json(schema: object, handler: GetCoreSchemaHandler) -> None:
    if isinstance(schema, dict):
        # An enumeration stands behind a reference; models do too, and have been here by themselves.
        part = handler.resolve_ref_schema(schema) if schema.get("type") == "definition-ref" else schema
        # A model may have a field named "type", whose schema then stands where a schema has its kind.
        if isinstance(part, dict) and isinstance(kind := part.get("type"), str) and kind in _READ_FROM_JSON:
            part.setdefault("strict", False)
        for inner in schema.values():
            _read_from_json(inner, handler)
    elif isinstance(schema, list | tuple):
        for inner in schema:
            _read_from_json(inner, handler)


class StrictModel(BaseModel):
    """A frozen body that knows its fields: unknown ones are refused, nothing is coerced ("1" and true are no integers).

    Reads the Python values of `parse_strict` (UUIDs and enumerations from their text, tuples from lists) as it reads
    JSON. For instants, days and decimals use the types of this module.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _read_from_json(schema, handler)
        return schema


# Control characters end in log files and printed receipts; LongText alone may hold line breaks and tabs.
NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]*$"
_NO_CONTROLS_BUT_BREAKS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"

Text = Annotated[str, StringConstraints(min_length=1, max_length=LIMITS.text_chars, pattern=NO_CONTROLS)]
"""1 to 255 characters on one line."""

LongText = Annotated[str, StringConstraints(max_length=LIMITS.long_text_chars, pattern=_NO_CONTROLS_BUT_BREAKS)]
"""Up to 4,000 characters, line breaks allowed."""

Minor = Annotated[int, Strict(), Field(ge=-LIMITS.amount, le=LIMITS.amount)]
"""An amount in minor units of the currency beside it; at most 10^12 either way."""

Points = Annotated[int, Strict(), Field(ge=-LIMITS.amount, le=LIMITS.amount)]
"""Whole points, signed; at most 10^12 either way."""

CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""An ISO 4217 code's shape: three capital letters."""

PageLimit = Annotated[int, Field(ge=LIMITS.page_min, le=LIMITS.page_max)]
"""`limit` of a list, 1 to 200; its default is `LIMITS.page_default`."""

# The years bound what PostgreSQL, Python and a shift to UTC all can hold.
_INSTANT = re.compile(
    r"(?:19|20|21)\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII | re.IGNORECASE
)
_DAY = re.compile(r"(?:19|20|21)\d\d-\d\d-\d\d", re.ASCII)
_QUANTITY = re.compile(r"\d{1,9}(?:\.\d{1,3})?", re.ASCII)


def read_instant(value: object) -> datetime:
    """The instant of an ISO 8601 text with an offset, in UTC. Raises `offset_required` or `invalid_field`."""
    if isinstance(value, datetime):
        instant = value
    elif isinstance(value, str) and (found := _INSTANT.fullmatch(value)):
        if found[1] is None:
            raise _offset_required()
        instant = _iso(value)
    else:
        raise PydanticCustomError("invalid_field", "must be an instant such as 2026-03-01T09:30:00+01:00")
    if instant.tzinfo is None:
        raise _offset_required()
    return instant.astimezone(UTC)


def _offset_required() -> PydanticCustomError:
    return PydanticCustomError("offset_required", "must carry an offset from UTC, such as Z or +01:00")


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise PydanticCustomError("invalid_field", "names a day or an hour that does not exist") from None


def write_instant(instant: datetime) -> str:
    """An aware instant as ISO 8601 text in UTC, such as 2026-03-01T08:30:00Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


Instant = Annotated[
    datetime,
    PlainValidator(read_instant),
    PlainSerializer(write_instant, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An aware instant, given as ISO 8601 text with an offset between 1900 and 2199; held in UTC."""


def _day_text(value: object) -> object:
    if isinstance(value, datetime) or not (
        isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value))
    ):
        raise PydanticCustomError("invalid_field", "must be a day such as 2026-03-01")
    return value


Day = Annotated[date, Strict(False), BeforeValidator(_day_text)]
"""A calendar day, given as `2026-03-01`; no time, no zone."""


def read_quantity(value: object) -> Decimal:
    """A quantity above zero with at most three decimals, from an integer or a decimal text (never a float)."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 0 < value < 10**9 else None
    text = format(value, "f") if isinstance(value, Decimal) else value
    if not isinstance(text, str) or not _QUANTITY.fullmatch(text) or not (quantity := Decimal(text)):
        raise PydanticCustomError(
            "invalid_quantity", "must be above zero: an integer, or a decimal text with at most three decimals"
        )
    return quantity


DecimalString = Annotated[
    Decimal,
    PlainValidator(read_quantity),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 999_999_999},
                {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,3})?$"},
            ]
        }
    ),
]
"""A quantity: `3`, or `"0.275"` for what is weighed. Above zero, at most three decimals, below 10^9."""
