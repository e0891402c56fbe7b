"""How far a run is: a bar on a terminal, a line for every step elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from regulars_scoring.files import Step

_STEPS: Mapping[Step, tuple[str, float]] = {
    "reading": ("Reading the purchases", 0.0),
    "fitting": ("Fitting the models", 0.6),
    "scoring": ("Scoring everybody", 0.7),
    "writing": ("Writing the scores", 0.8),
    "looking back": ("Comparing with what came", 0.85),
    "reporting": ("Drawing the report", 0.97),
}
"""What each step is called, and how much of the whole is done when it begins."""


class Bar:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._now: Step | None = None
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._task = self._progress.add_task("", total=1.0) if self._progress else None

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def tell(self, step: Step, share: float) -> None:
        """`share` of the step is done; 1.0 is all of it."""
        words, begins = _STEPS[step]
        later = [place for _, place in _STEPS.values() if place > begins]
        ends = min(later, default=1.0)
        if self._progress and self._task is not None:
            self._progress.update(self._task, description=words, completed=begins + (ends - begins) * share)
        elif step != self._now:
            self._console.print(f"{words}…")
        self._now = step
