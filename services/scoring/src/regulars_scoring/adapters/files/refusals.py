"""What files are refused for, in words that say what to do."""

from __future__ import annotations


class WrongUse(Exception):
    """The files or the options do not fit together: another call of the command is what mends it."""
