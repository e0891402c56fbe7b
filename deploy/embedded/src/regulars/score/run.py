"""A run on a terminal: a bar while it works, a summary at the end, one line where it cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from rich.console import Console

from regulars.score.bar import Bar
from regulars.score.options import Engine
from regulars.score.summary import show
from regulars_scoring.adapters.files.refusals import WrongUse
from regulars_scoring.domain.findings import Findings
from regulars_scoring.domain.refusals import FitFailed
from regulars_scoring.files import Order, Tell, score_file

WRONG_USE, CANNOT_BE_SCORED = 2, 1


def run(order: Order, engine: Engine) -> int:
    """The exit status. Results go to standard output; how far it is, and refusals, to standard error."""
    said = Console(stderr=True, highlight=False)
    try:
        with Bar(said) as bar:
            findings = _scorer(engine)(order, bar.tell)
    except WrongUse as refusal:
        return _refuse(said, str(refusal), WRONG_USE)
    except FitFailed as failure:
        words = f"no forecast can be made of these purchases: {failure.detail}; give a longer stretch of them"
        return _refuse(said, words, CANNOT_BE_SCORED)
    show(findings, order, Console(highlight=False))
    return 0


def _scorer(engine: Engine) -> Callable[[Order, Tell], Findings]:
    """Raises `WrongUse` where Spark is asked for and not there."""
    if engine is Engine.DUCKDB:
        return score_file
    if find_spec("pyspark") is None:
        raise WrongUse("--engine spark needs PySpark: pip install 'regulars[spark]' (in a checkout: make spark)")
    # Imported here: an extra that most do without.
    from regulars_scoring.spark import score_on_spark

    return score_on_spark


def _refuse(said: Console, words: str, status: int) -> int:
    said.print(f"regulars: {words}", markup=False, soft_wrap=True)
    return status
