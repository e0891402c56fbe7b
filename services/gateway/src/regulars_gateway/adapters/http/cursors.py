"""Cursors that remember an id."""

from __future__ import annotations

from uuid import UUID

from regulars_kit.pagination import CursorInvalid, decode_cursor, encode_cursor


def write_id(last: UUID | None) -> str | None:
    return None if last is None else encode_cursor(str(last))


def read_id(cursor: str | None) -> UUID | None:
    """Raises `CursorInvalid`."""
    if cursor is None:
        return None
    (last,) = decode_cursor(cursor, str)
    try:
        return UUID(str(last))
    except ValueError:
        raise CursorInvalid("the cursor is not one of this list") from None
