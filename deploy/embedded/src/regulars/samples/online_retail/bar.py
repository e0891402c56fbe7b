"""How a load shows itself: a bar on a terminal, a line for every tenth elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.progress import TaskProgressColumn

from regulars.progress import TerminalBar


class Bar(TerminalBar):
    """Counts the answered invoice lines up to `total`; `done` of them were answered before."""

    def __init__(self, console: Console, *, total: int, done: int) -> None:
        super().__init__(console, TaskProgressColumn(), words=_words(0, 0), total=total, completed=done)
        self._console = console
        self._total = max(total, 1)
        self._done = done

    def advance(self, lines: int, *, receipts: int, returns: int) -> None:
        """`lines` more are answered; `receipts` and `returns` are in the shop by now."""
        tenths_before, self._done = self._done * 10 // self._total, self._done + lines
        tenths = self._done * 10 // self._total
        words = _words(receipts, returns)
        if not self.draws(words, self._done) and tenths > tenths_before:
            self._console.print(f"{words}, {tenths * 10} %", highlight=False)


def _words(receipts: int, returns: int) -> str:
    return f"Online Retail: {receipts:,} receipts, {returns:,} returns"
