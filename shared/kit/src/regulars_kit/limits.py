"""What a request may weigh at most: one table, enforced here and printed in the documentation."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit of the public API. Each is inclusive: at the limit is accepted, one past it is refused."""

    body_bytes: int = 1024 * 1024
    """One request body, streams excepted: a purchase of 2,000 lines is some 300 KiB."""
    line_bytes: int = 256 * 1024
    """One line of a streamed (NDJSON) body."""
    stream_lines: int = 100_000
    """Lines of one streamed body."""
    document_lines: int = 2_000
    """Lines of one document (a receipt). The longest of a shop's real year had 1,114."""
    text_chars: int = 255
    long_text_chars: int = 4_000
    amount: int = 10**12
    """Absolute value of an amount in minor units, and of points. Thousands of them still sum far below 2**63."""
    json_depth: int = 32
    page_min: int = 1
    page_default: int = 50
    page_max: int = 200
    errors_listed: int = 20
    """Errors one problem document names. A body of 2,000 wrong lines gets its first twenty."""


LIMITS = Limits()


def limits_table() -> list[tuple[str, int]]:
    """Each limit by name, in the order of the table: what the documentation prints."""
    return [(field.name, getattr(LIMITS, field.name)) for field in fields(Limits)]
