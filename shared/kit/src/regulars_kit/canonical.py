"""Canonical JSON (RFC 8785) of values without floats: the same content gives the same bytes, whoever wrote it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

# RFC 8785 writes numbers as IEEE 754 doubles; these are the integers a double holds exactly.
SAFE_INTEGER = 2**53 - 1


def canonical_json(value: object) -> bytes:
    """RFC 8785: keys by UTF-16 code units, no blanks, shortest escapes. No floats here: amounts are integers.

    Raises ValueError for a float, an integer beyond ±(2^53 − 1), a key that is no text, or a type JSON lacks.
    """
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def content_hash(value: object) -> bytes:
    """SHA-256 of the canonical form: 32 bytes."""
    return hashlib.sha256(canonical_json(value)).digest()


def _ordered(value: object) -> object:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        if abs(value) > SAFE_INTEGER:
            raise ValueError("an integer beyond 2^53 has no canonical form; write it as text")
        return value
    if isinstance(value, Mapping):
        return {_text(key): _ordered(value[key]) for key in sorted(value, key=_utf16)}
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    raise ValueError(f"{type(value).__name__} has no canonical form")


def _text(key: object) -> str:
    if not isinstance(key, str):
        raise ValueError("a key must be text")
    return key


def _utf16(key: object) -> bytes:
    return _text(key).encode("utf-16-be", "surrogatepass")
