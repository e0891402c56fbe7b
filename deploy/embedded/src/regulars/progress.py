"""How far a long command is: a bar on a terminal; elsewhere the caller says it in lines of its own."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn


class TerminalBar:
    """Words, a bar, the further `columns`, and the time that has passed. Shown from `__enter__` to `__exit__`."""

    def __init__(
        self,
        console: Console,
        *columns: ProgressColumn,
        words: str,
        total: float,
        completed: int = 0,
        transient: bool = False,
    ) -> None:
        shown = (TextColumn("{task.description}"), BarColumn(), *columns, TimeElapsedColumn())
        self._progress = Progress(*shown, console=console, transient=transient) if console.is_terminal else None
        self._task = self._progress.add_task(words, total=total, completed=completed) if self._progress else None

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def draws(self, words: str, completed: float) -> bool:
        """Draw it; False where there is no terminal."""
        if self._progress is None or self._task is None:
            return False
        self._progress.update(self._task, description=words, completed=completed)
        return True
