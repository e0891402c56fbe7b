"""Pydantic's errors in the shop's words: a code, a place, a sentence; never the input, never more than twenty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from regulars_kit.limits import LIMITS
from regulars_kit.models import NO_CONTROLS
from regulars_kit.strict_json import parse_strict, pointer
from regulars_kit.values import Refused

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault: `pointer` into the body (RFC 6901), or None and the name of a `parameter` of query, path or header."""

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None

    def document(self) -> dict[str, str]:
        place = {"pointer": self.pointer} if self.pointer is not None else {"parameter": self.parameter or ""}
        return {**place, "code": self.code, "detail": self.detail}


class InvalidRequest(Refused):
    """A field is not what it must be.

    `errors` is never empty, and the first one gives the problem its code.
    """

    code: ClassVar[str] = "invalid_field"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(errors[0].detail, field=errors[0].pointer)
        self.errors = tuple(errors)


def read_model(model: type[Model], body: bytes) -> Model:
    """`body` as a `model`. Raises `BodyRefused` when it is no strict JSON and `InvalidRequest` when it does not fit."""
    return validate(model, parse_strict(body))


def validate(model: type[Model], value: object) -> Model:
    """What `parse_strict` read, as a `model`. Raises `InvalidRequest`."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise InvalidRequest(field_errors(faults, value)) from None


def field_errors(faults: Sequence[ErrorDetails], body: object) -> list[FieldError]:
    """The first twenty faults. `body` tells the keys of the document from the names pydantic puts between them."""
    return [_body_error(fault, fault["loc"], body) for fault in _causes(faults)]


def request_errors(faults: Sequence[ErrorDetails], body: object) -> list[FieldError]:
    """The same for FastAPI, which puts `body`, `query`, `path`, `header` or `cookie` before each place."""
    return [_request_error(fault, body) for fault in _causes(faults)]


def _causes(faults: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Without those of a list that seems short to pydantic, since it leaves out the entries that are at fault."""
    places = [fault["loc"] for fault in faults]

    def has_faults_inside(at: tuple[int | str, ...]) -> bool:
        return any(len(place) > len(at) and place[: len(at)] == at for place in places)

    causes = [fault for fault in faults if fault["type"] != "too_short" or not has_faults_inside(fault["loc"])]
    return causes[: LIMITS.errors_listed]


def _request_error(fault: ErrorDetails, body: object) -> FieldError:
    where, *rest = fault["loc"]
    if where != "body":
        code, detail = _words(fault)
        return FieldError(code, detail, parameter=str(rest[0])[:64] if rest else str(where))
    if not rest and fault["type"] == "missing":
        return FieldError("body_required", "a JSON body is required", pointer="")
    return _body_error(fault, rest, body)


def _body_error(fault: ErrorDetails, location: Sequence[str | int], body: object) -> FieldError:
    code, detail = _words(fault)
    return FieldError(code, detail, pointer=_pointer(location, body, absent=fault["type"] == "missing"))


def _pointer(location: Sequence[str | int], body: object, *, absent: bool) -> str:
    # Pydantic names the member of a union it tried between the keys; those steps lead nowhere in the document.
    at, node = "", body
    for index, step in enumerate(location):
        found = _step(node, step)
        if found is not None or (absent and index == len(location) - 1):
            at, node = pointer(at, step), found and found[0]
    return at


def _step(node: object, step: str | int) -> tuple[object] | None:
    if isinstance(node, dict):
        return (node[step],) if step in node else None
    return (node[step],) if isinstance(node, list) and isinstance(step, int) and step < len(node) else None


_TYPES_OF_PYDANTIC = frozenset(get_args(ErrorType))

_CODES = {
    "missing": "missing_field",
    "extra_forbidden": "unknown_field",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "int_parsing_size": "out_of_range",
    "string_unicode": "invalid_character",
    "timezone_aware": "offset_required",
}

FIELD_CODES = frozenset({*_CODES.values(), "wrong_type", "invalid_field", "invalid_character", "body_required"})
"""The codes a fault can have that no service named itself."""

_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this request",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "int_parsing_size": "is too large",
    "string_unicode": "must be text of valid characters",
    "timezone_aware": "must carry an offset from UTC, such as Z or +01:00",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "union_tag_invalid": "must be one of {expected_tags}",
    "union_tag_not_found": "must name its kind",
}

_NOUNS = {
    "int": "an integer",
    "float": "a number",
    "string": "text",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "dict": "an object",
    "model": "an object",
    "uuid": "a UUID",
    "decimal": "a decimal number",
    "date": "a day",
    "none": "null",
}


def _words(fault: ErrorDetails) -> tuple[str, str]:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind not in _TYPES_OF_PYDANTIC:
        return kind, fault["msg"]  # a PydanticCustomError of ours: its type is the code, its words are fixed
    if kind in _WORDS:
        return _CODES.get(kind, "invalid_field"), _WORDS[kind].format_map(context)
    if kind == "string_pattern_mismatch":
        return _pattern_words(context)
    noun = _NOUNS.get(kind.split("_")[0])
    if kind.endswith("_type") and noun:
        return "wrong_type", f"must be {noun}"
    return "invalid_field", f"must be {noun}" if noun else "is not valid"


def _pattern_words(context: Mapping[str, Any]) -> tuple[str, str]:
    shape = str(context["pattern"])
    if shape.startswith(NO_CONTROLS[:3]):
        return "invalid_character", "must not hold control characters"
    return "invalid_field", f"must match {shape}"
