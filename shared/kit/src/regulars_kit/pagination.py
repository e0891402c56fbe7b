"""Lists by cursor, and entity tags: how an answer is cut into pages and recognised the next time."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import ClassVar

from regulars_kit.values import Refused

Position = str | int | None
"""What a cursor may remember: the sort values of the last row shown."""


class CursorInvalid(Refused):
    """A cursor is used as it was given by `next_cursor`, with the list that gave it."""

    code: ClassVar[str] = "cursor_invalid"


def encode_cursor(*position: Position) -> str:
    """An opaque text that names the last row shown by its sort values; clients hand it back untouched."""
    packed = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type[str] | type[int]) -> tuple[Position, ...]:
    """The sort values of `encode_cursor`, one of each of `kinds`. Raises `cursor_invalid`."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise CursorInvalid("the cursor is not one of ours") from None
    if not isinstance(position, list) or [type(value) for value in position] != list(kinds):
        raise CursorInvalid("the cursor is not one of this list")
    if any(isinstance(value, int) and abs(value) >= 2**63 for value in position):
        raise CursorInvalid("the cursor is not one of this list")
    if any(isinstance(value, str) and not value.isprintable() for value in position):
        raise CursorInvalid("the cursor is not one of this list")
    return tuple(position)


def page(items: Sequence[object], next_cursor: str | None) -> dict[str, object]:
    """The shape of every list. `next_cursor` is None on the last page."""
    return {"items": list(items), "next_cursor": next_cursor}


def etag(*parts: object) -> str:
    """A strong entity tag of whatever changes when the answer does (a version, an instant, the body's bytes)."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update((part if isinstance(part, bytes) else str(part).encode()) + b"\0")
    return f'"{digest.hexdigest()[:32]}"'


def is_match(if_none_match: str | None, tag: str) -> bool:
    """Whether the client's `If-None-Match` already holds `tag` (weak comparison, RFC 9110): answer 304."""
    if if_none_match is None:
        return False
    held = {candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")}
    return tag in held or "*" in held
