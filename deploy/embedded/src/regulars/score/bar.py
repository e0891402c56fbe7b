"""How far a run is: a bar on a terminal, a line for every step elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from regulars.progress import TerminalBar
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


class Bar(TerminalBar):
    def __init__(self, console: Console) -> None:
        super().__init__(console, words="", total=1.0, transient=True)
        self._console = console
        self._now: Step | None = None

    def tell(self, step: Step, share: float) -> None:
        """`share` of the step is done; 1.0 is all of it."""
        words, begins = _STEPS[step]
        later = [place for _, place in _STEPS.values() if place > begins]
        ends = min(later, default=1.0)
        if not self.draws(words, begins + (ends - begins) * share) and step != self._now:
            self._console.print(f"{words}…")
        self._now = step
