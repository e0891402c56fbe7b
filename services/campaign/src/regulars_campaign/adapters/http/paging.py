"""Lists by cursor: the id of the last row shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Query

from regulars_kit.http import decode_cursor, encode_cursor
from regulars_kit.limits import LIMITS
from regulars_kit.models import PageLimit, Text
from regulars_kit.pagination import CursorInvalid

Row = TypeVar("Row")

Limit = Annotated[PageLimit, Query()]
Cursor = Annotated[Text | None, Query()]
DEFAULT = LIMITS.page_default


def last_shown(cursor: str | None) -> UUID | None:
    """The id that a cursor names; None at the beginning. Raises `cursor_invalid`."""
    if cursor is None:
        return None
    (last,) = decode_cursor(cursor, str)
    try:
        return UUID(str(last))
    except ValueError:
        raise CursorInvalid("the cursor is not one of this list") from None


def cut(found: Sequence[Row], limit: int, id_of: Callable[[Row], UUID]) -> tuple[Sequence[Row], str | None]:
    """The page and its `next_cursor`, of rows that were asked for with one more than `limit`."""
    page = found[:limit]
    return page, encode_cursor(str(id_of(page[-1]))) if len(found) > limit else None
