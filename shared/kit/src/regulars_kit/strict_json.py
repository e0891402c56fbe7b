"""JSON as RFC 8259 means it and nothing more: what two parsers could read differently is refused.

`json` keeps the last of two equal keys, reads NaN, and lets lone surrogates through to a database that cannot store
them. A text that is byte by byte what orjson writes of what it read holds no key twice and no NaN; most programs send
such, and it takes two thirds of the time. Any other goes through `json`'s C scanner with one short hook per object;
where the duplicate is, and which string holds the NUL, is looked for only after a refusal is certain.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Any, ClassVar

import orjson

from regulars_kit.limits import LIMITS
from regulars_kit.values import Refused


class BodyRefused(Refused):
    """The body cannot be read as JSON; nothing in it was looked at."""

    code: ClassVar[str] = "malformed_json"


class MalformedJson(BodyRefused):
    """The body is not JSON (RFC 8259); the detail names line and column."""

    code: ClassVar[str] = "malformed_json"


class InvalidUtf8(BodyRefused):
    """The body is not UTF-8."""

    code: ClassVar[str] = "invalid_utf8"


class DuplicateKey(BodyRefused):
    """An object names a key twice: two readers could take it differently."""

    code: ClassVar[str] = "duplicate_key"


class TooDeep(BodyRefused):
    """The body is nested deeper than 32 levels."""

    code: ClassVar[str] = "too_deep"


class InvalidCharacter(BodyRefused):
    """A text holds NUL, half of a surrogate pair, or a control character where none may be."""

    code: ClassVar[str] = "invalid_character"


class InvalidNumber(BodyRefused):
    """NaN, an infinity, or a number of thousands of digits."""

    code: ClassVar[str] = "invalid_number"


def parse_strict(body: bytes) -> object:
    """The value of a JSON text in UTF-8.

    Raises a `BodyRefused`: `malformed_json`, `invalid_utf8`, `duplicate_key`, `too_deep` (more than 32 levels),
    `invalid_character` (NUL or an unpaired surrogate), `invalid_number` (NaN, an infinity, thousands of digits).
    """
    value = _as_we_would_write_it(body)
    if value is _OTHERWISE:
        value = _read_closely(body)
    # Fewer brackets than levels allowed: it cannot be too deep, which holds for nearly every request.
    if body.count(b"{") + body.count(b"[") > LIMITS.json_depth and _is_too_deep(value):
        raise _too_deep()
    if b"\\u" in body and _SUSPECT_ESCAPE.search(body):
        _refuse_bad_characters(value)
    return value


_OTHERWISE = object()


def _as_we_would_write_it(body: bytes) -> object:
    try:
        value: object = orjson.loads(body)
        return value if orjson.dumps(value) == body else _OTHERWISE
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return _OTHERWISE


def _read_closely(body: bytes) -> object:
    try:
        text = body.decode()
        return _decode(text)
    except UnicodeDecodeError as error:
        raise InvalidUtf8("the body must be UTF-8") from error
    except _Duplicate as error:
        raise DuplicateKey("a key may stand only once in an object", field=_find_duplicate(text)) from error
    except RecursionError as error:
        raise _too_deep() from error
    except JSONDecodeError as error:
        raise MalformedJson(f"the body is not JSON: line {error.lineno}, column {error.colno}") from error
    except ValueError as error:
        # Python refuses to convert more than 4,300 digits, which would take quadratic time.
        raise InvalidNumber("a number has too many digits") from error


class _Duplicate(Exception):
    pass


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Duplicate
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise InvalidNumber("a number is out of range")
    return number


def _no_constant(name: str) -> object:
    raise InvalidNumber(f"{name} is not a number of JSON")


_decode = JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant).decode
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def _too_deep() -> TooDeep:
    return TooDeep(f"the body is nested deeper than {LIMITS.json_depth} levels")


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(LIMITS.json_depth):
        level = [child for node in level for child in _children(node) if type(child) in (dict, list)]
        if not level:
            return False
    return True


def _children(node: object) -> list[object]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


class _Pairs(list[Any]):
    """An object as the list of its pairs, duplicates kept."""


def _find_duplicate(text: str) -> str | None:
    root = JSONDecoder(object_pairs_hook=_Pairs).decode
    try:
        return _duplicate_in(root(text), "")
    except (ValueError, RecursionError):
        return None  # what follows the duplicate is broken too; the duplicate was seen first


def _duplicate_in(node: object, at: str) -> str | None:
    pairs = node if isinstance(node, _Pairs) else list(enumerate(node)) if isinstance(node, list) else []
    seen: set[object] = set()
    for key, child in pairs:
        here = pointer(at, key)
        if key in seen:
            return here
        seen.add(key)
        if (found := _duplicate_in(child, here)) is not None:
            return found
    return None


def _refuse_bad_characters(value: object) -> None:
    for at, text in _strings(value, ""):
        if "\0" in text:
            raise InvalidCharacter("a text must not hold NUL", field=at)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise InvalidCharacter("a text must not hold half of a surrogate pair", field=at)


def _strings(node: object, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield at, node
    elif isinstance(node, dict):
        for key, child in node.items():
            yield at, key
            yield from _strings(child, pointer(at, key))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _strings(child, pointer(at, index))


def pointer(at: str, *steps: str | int) -> str:
    """The JSON Pointer (RFC 6901) of `steps` below `at`; each step is cut at 64 characters, since keys are input."""
    return at + "".join("/" + _escaped(step) for step in steps)


def _escaped(step: str | int) -> str:
    text = str(step)[:64].replace("~", "~0").replace("/", "~1")
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
