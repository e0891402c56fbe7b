"""Why `regulars up` does not start: one line for the one who typed it."""

from __future__ import annotations


class CannotStart(Exception):
    """The message is one plain line that says what is wrong and what to do about it."""
