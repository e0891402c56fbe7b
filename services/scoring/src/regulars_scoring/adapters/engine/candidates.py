"""What may serve: every model and baseline fitted to everybody, judged by the hold-outs, and the one that is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from regulars_scoring.adapters.engine.evaluation import (
    FITTED,
    MOST_CUSTOMERS,
    Evaluation,
    evaluate,
    learnt_baselines,
    report_of,
    window_for,
)
from regulars_scoring.adapters.engine.fitting import BuyingFit, fit_buying
from regulars_scoring.adapters.engine.occasions import Occasions, Past, sampled
from regulars_scoring.adapters.engine.population import Ints, Population
from regulars_scoring.domain.baselines import Baseline
from regulars_scoring.domain.bg_nbd import BgNbd
from regulars_scoring.domain.choice import Asked, Candidate, Choice, ModelName, choose
from regulars_scoring.domain.model import MBG_NBD, OWN_RATE, PARETO_NBD, POPULATION_MEAN, RECENCY
from regulars_scoring.domain.refusals import FitFailed, TooFewPurchases
from regulars_scoring.domain.serving import Serving

_MODELS: tuple[ModelName, ...] = (MBG_NBD, PARETO_NBD)
_BASELINES: tuple[ModelName, ...] = (OWN_RATE, RECENCY, POPULATION_MEAN)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The choice and all that stood for it. `failures` say of models without a fit why there is none."""

    choice: Choice
    serving: Serving
    fits: Mapping[str, BuyingFit]
    failures: Mapping[str, str]
    evaluation: Evaluation

    @property
    def fit(self) -> BuyingFit | None:
        """Of what serves; None of a baseline."""
        return self.fits.get(self.choice.served)


def choose_model(population: Population, occasions: Occasions, asked: Asked) -> Chosen:
    """Fit everything, judge it, choose.

    Raises `TooFewPurchases`, and `FitFailed` when what was asked for has no fit.
    """
    fitted = fit_all(population.x, population.t_x, population.T)
    today = Past(occasions.customer[:0], population.x, population.t_x, population.T)
    baselines = learnt_baselines(occasions, today, 0, window_for(occasions.span_days))
    evaluation = evaluate(sampled(occasions, population.size, MOST_CUSTOMERS))
    return choose_among(fitted, baselines, evaluation, asked)


Fits = tuple[Mapping[str, BuyingFit], Mapping[str, str]]
"""The fits by model, and of those without one why there is none."""


def choose_among(fitted: Fits, baselines: Mapping[str, Baseline], evaluation: Evaluation, asked: Asked) -> Chosen:
    """Raises `FitFailed` when what was asked for has no fit."""
    choice = choose(asked, _candidates(*fitted, baselines, evaluation), evaluation.compared)
    return Chosen(choice, _serving(choice.served, fitted[0], baselines), *fitted, evaluation)


def fit_all(x: Ints, t_x: Ints, T: Ints, customers: Ints | None = None) -> Fits:
    """Each row is one customer, or as many as `customers` says. Raises `TooFewPurchases`."""
    fits, failures = dict[str, BuyingFit](), dict[str, str]()
    for name in FITTED:
        try:
            fits[name] = fit_buying(x, t_x, T, name, customers)
        except TooFewPurchases:
            raise
        except FitFailed as failure:
            failures[name] = failure.detail
    return fits, failures


def _candidates(
    fits: Mapping[str, BuyingFit],
    failures: Mapping[str, str],
    baselines: Mapping[str, Baseline],
    evaluation: Evaluation,
) -> list[Candidate]:
    losses = {name: judged.loss for name, judged in evaluation.models.items()}
    models = [
        Candidate(name, False, losses.get(name), fits[name].degeneracies)
        if name in fits
        else Candidate(name, False, None, failure=failures[name])
        for name in _MODELS
    ]
    return models + [Candidate(name, True, losses.get(name)) for name in _BASELINES if name in baselines]


def _serving(name: ModelName, fits: Mapping[str, BuyingFit], baselines: Mapping[str, Baseline]) -> Serving:
    if name in baselines:
        return baselines[name]
    model = fits[name].model
    assert not isinstance(model, BgNbd), "BG/NBD is no candidate"
    return model


def report_of_choice(chosen: Chosen, as_of: date) -> dict[str, object]:
    """As JSON: what serves and why, every fit, and how each did in the hold-outs that end with the day of the run."""
    origins = {days: (as_of - timedelta(days=days)).isoformat() for days in chosen.evaluation.windows}
    serving = chosen.choice.served
    return {
        "buying": {"model": serving, **_parameters(chosen.serving), **_of_fit(chosen.fit)},
        "choice": asdict(chosen.choice),
        "fits": {
            **{name: {**_parameters(fit.model), **_of_fit(fit)} for name, fit in chosen.fits.items()},
            **{name: {"failure": failure} for name, failure in chosen.failures.items()},
        },
        "evaluation": report_of(chosen.evaluation, origins),
    }


def _parameters(model: Serving | BgNbd) -> dict[str, object]:
    return {"parameters": {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(model).items()}}


def _of_fit(fit: BuyingFit | None) -> dict[str, object]:
    """Of a baseline there is nothing to say."""
    if fit is None:
        nothing = dict.fromkeys(("log_likelihood", "steps", "standard_errors"))
        return {**nothing, "is_degenerate": False, "degeneracies": []}
    errors = fit.standard_errors
    return {
        "log_likelihood": fit.log_likelihood,
        "steps": fit.steps,
        "standard_errors": None if errors is None else dict(zip(asdict(fit.model), errors, strict=True)),
        "is_degenerate": bool(fit.degeneracies),
        "degeneracies": list(fit.degeneracies),
    }
