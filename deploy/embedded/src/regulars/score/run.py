"""A run on a terminal: a bar while it works, a summary at the end, one line where it cannot be done."""

from __future__ import annotations

from rich.console import Console

from regulars.score.bar import Bar
from regulars.score.summary import show
from regulars_scoring.adapters.files.refusals import WrongUse
from regulars_scoring.domain.refusals import FitFailed
from regulars_scoring.files import Order, score_file

WRONG_USE, CANNOT_BE_SCORED = 2, 1


def run(order: Order) -> int:
    """The exit status. Results go to standard output; how far it is, and refusals, to standard error."""
    said = Console(stderr=True, highlight=False)
    try:
        with Bar(said) as bar:
            findings = score_file(order, bar.tell)
    except WrongUse as refusal:
        return _refuse(said, str(refusal), WRONG_USE)
    except FitFailed as failure:
        words = f"no forecast can be made of these purchases: {failure.detail}; give a longer stretch of them"
        return _refuse(said, words, CANNOT_BE_SCORED)
    show(findings, order, Console(highlight=False))
    return 0


def _refuse(said: Console, words: str, status: int) -> int:
    said.print(f"regulars: {words}", markup=False, soft_wrap=True)
    return status
