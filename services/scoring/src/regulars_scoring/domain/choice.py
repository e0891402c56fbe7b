"""Which model serves: the one that foretold best what customers then did, unless its fit is degenerate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from regulars_scoring.domain.refusals import FitFailed

ModelName = Literal["mbg_nbd", "pareto_nbd", "own_rate", "recency", "population_mean"]
Asked = Literal["auto", "mbg_nbd", "pareto_nbd", "own_rate", "recency", "population_mean"]
"""`auto`: whichever does best."""
Reason = Literal["asked", "evaluation", "too_few_to_compare", "degenerate"]
"""Why it serves: it was asked for; it foretold best; it comes first, as too few customers were there to compare by;
or it is the best baseline, as what should have served is degenerate."""

PREFERENCE: tuple[ModelName, ...] = get_args(ModelName)
"""Of two that foretell as well, the former serves."""

AS_GOOD_AS = 1.01
"""A loss within 1 % of the least is as good: figures shall not change with the night's last digit."""
FEWEST_COMPARED = 500
"""Outcomes foretold: with fewer, which does best is chance."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may serve. `loss`, above 0, is of what it foretold in the hold-outs; None: it has foretold nothing.

    `degeneracies` and `failure` are of its fit to everybody; baselines have neither.
    """

    name: ModelName
    is_baseline: bool
    loss: float | None
    degeneracies: tuple[str, ...] = ()
    failure: str | None = None

    @property
    def is_sound(self) -> bool:
        return not self.degeneracies and self.failure is None


@dataclass(frozen=True, slots=True)
class Choice:
    asked: Asked
    served: ModelName
    reason: Reason


def choose(asked: Asked, candidates: Sequence[Candidate], compared: int) -> Choice:
    """`compared` is how many outcomes each loss is over. There is at least one baseline.

    Raises `FitFailed` when what was asked for has no fit.
    """
    if asked != "auto":
        return _as_asked(asked, candidates, compared)
    sound = [candidate for candidate in candidates if candidate.is_sound]
    served = _best(sound, compared).name
    if all(candidate.is_baseline for candidate in sound):
        return Choice(asked, served, "degenerate")
    return Choice(asked, served, "too_few_to_compare" if compared < FEWEST_COMPARED else "evaluation")


def _as_asked(asked: ModelName, candidates: Sequence[Candidate], compared: int) -> Choice:
    wanted = next((candidate for candidate in candidates if candidate.name == asked), None)
    if wanted is None or wanted.failure is not None:
        detail = "the history is too short for it" if wanted is None else wanted.failure
        raise FitFailed(f"{asked} cannot serve: {detail}")
    if not wanted.is_sound:
        baselines = [candidate for candidate in candidates if candidate.is_baseline]
        return Choice(asked, _best(baselines, compared).name, "degenerate")
    return Choice(asked, asked, "asked")


def _best(candidates: Sequence[Candidate], compared: int) -> Candidate:
    """The least loss, or the first that comes near it; the first of all where there is too little to compare."""
    losses = [candidate.loss for candidate in candidates if candidate.loss is not None]
    if not losses or compared < FEWEST_COMPARED:
        return min(candidates, key=_preference)
    least = min(losses)
    near = [each for each in candidates if each.loss is not None and each.loss <= least * AS_GOOD_AS]
    return min(near, key=_preference)


def _preference(candidate: Candidate) -> int:
    return PREFERENCE.index(candidate.name)
