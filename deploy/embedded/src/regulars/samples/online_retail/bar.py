"""How a load shows itself: a bar on a terminal, a line for every tenth elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn


class Bar:
    """Counts the answered invoice lines up to `total`; `done` of them were answered before."""

    def __init__(self, console: Console, *, total: int, done: int) -> None:
        self._console = console
        self._total = max(total, 1)
        self._done = done
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console) if console.is_terminal else None
        self._task = self._progress.add_task(_words(0, 0), total=total, completed=done) if self._progress else None

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def advance(self, lines: int, *, receipts: int, returns: int) -> None:
        """`lines` more are answered; `receipts` and `returns` are in the shop by now."""
        tenths_before, self._done = self._done * 10 // self._total, self._done + lines
        tenths = self._done * 10 // self._total
        if self._progress and self._task is not None:
            self._progress.update(self._task, completed=self._done, description=_words(receipts, returns))
        elif tenths > tenths_before:
            self._console.print(f"{_words(receipts, returns)}, {tenths * 10} %", highlight=False)


def _words(receipts: int, returns: int) -> str:
    return f"Online Retail: {receipts:,} receipts, {returns:,} returns"
