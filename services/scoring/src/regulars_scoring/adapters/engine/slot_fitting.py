"""The fit of BG/BB, for trades whose customers can buy once in each slot of a calendar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regulars_scoring.adapters.engine.bg_bb_likelihood import BgBbLikelihood
from regulars_scoring.adapters.engine.degeneracy import slot_degeneracies_of
from regulars_scoring.adapters.engine.newton import maximise, standard_errors
from regulars_scoring.adapters.engine.population import Ints
from regulars_scoring.domain.bg_bb import BgBb
from regulars_scoring.domain.refusals import FitFailed

_START = (1.0, 1.0, 0.5, 3.0)


@dataclass(frozen=True, slots=True)
class SlotFit:
    """As `fitting.BuyingFit`."""

    model: BgBb
    log_likelihood: float
    steps: int
    degeneracies: tuple[str, ...]
    standard_errors: tuple[float, float, float, float] | None


def fit_slots(x: Ints, t_x: Ints, n: Ints, customers: Ints) -> SlotFit:
    """By maximum likelihood; a row for each kind of customers, and how many there are of it.

    x purchases in n slots, the last in slot t_x (0: none). Raises `FitFailed` when no step leads anywhere.
    """
    likelihood = BgBbLikelihood(x, t_x, n, customers)
    found = maximise(likelihood, np.array(_START))
    if not np.isfinite(found.log_likelihood) or not (found.has_converged or found.is_at_bound):
        raise FitFailed(f"BG/BB did not converge in {found.steps} steps")
    model = BgBb(*found.parameters.tolist())
    degeneracies = slot_degeneracies_of(model, is_at_bound=found.is_at_bound)
    errors = None if degeneracies else standard_errors(found)
    return SlotFit(model, found.log_likelihood, found.steps, degeneracies, errors)
