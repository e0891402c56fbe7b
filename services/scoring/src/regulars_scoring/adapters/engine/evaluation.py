"""Rolling hold-outs on the calendar: each model is fitted as it could have been on an earlier day, and then judged.

From the day of the run backwards there are up to three windows of equal length, none overlapping another. All that is
said of a window is learnt from what was before it: the fits, and the baselines' own windows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from regulars_scoring.adapters.engine.baselines import GROUPS, own_rate, silence_table
from regulars_scoring.adapters.engine.degeneracy import POLARISED_RATES
from regulars_scoring.adapters.engine.fitting import FEWEST_REPEATERS, fit_buying
from regulars_scoring.adapters.engine.metrics import Metrics, metrics_of
from regulars_scoring.adapters.engine.occasions import Occasions, Past, bought_after, past_of
from regulars_scoring.adapters.engine.outlook import Forecaster, outlook_of
from regulars_scoring.adapters.engine.population import Floats, Ints
from regulars_scoring.domain.baselines import Baseline, OwnRate, SilenceTable
from regulars_scoring.domain.model import BG_NBD, MBG_NBD, OWN_RATE, PARETO_NBD, POPULATION_MEAN, RECENCY
from regulars_scoring.domain.refusals import FitFailed

MOST_WINDOWS = 3
LONGEST_WINDOW_DAYS = 90
SHORTEST_WINDOW_DAYS = 7
WINDOWS_IN_HISTORY = 5
"""The windows take at most three fifths of the history: the first fit has as long a time as two of them."""
MOST_CUSTOMERS = 50_000
"""More make no figure any surer than the customers' own luck does, and fits of all of them take their time."""

FITTED = (MBG_NBD, PARETO_NBD, BG_NBD)


@dataclass(frozen=True, slots=True)
class Judged:
    """How one model did, over all windows; `one_timers` are the customers with a single occasion before the window."""

    everybody: Metrics
    one_timers: Metrics
    loss: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`windows` are the days before the run's at which forecasts were made; none: the history is too short."""

    window_days: int
    windows: tuple[int, ...]
    compared: int
    models: Mapping[str, Judged]


@dataclass(frozen=True, slots=True)
class _Foretold:
    expected: Floats
    churn: Floats


def window_for(span_days: int) -> int:
    """The length of a window in a history of so many days."""
    return max(SHORTEST_WINDOW_DAYS, min(LONGEST_WINDOW_DAYS, span_days // WINDOWS_IN_HISTORY))


def evaluate(occasions: Occasions) -> Evaluation:
    """Every model and baseline that could be had before each window."""
    window = window_for(occasions.span_days)
    outcomes: list[tuple[Past, Ints]] = []
    foretold: dict[str, list[_Foretold]] = {}
    windows = []
    for days_ago in range(window, MOST_WINDOWS * window + 1, window):
        past = past_of(occasions, days_ago)
        forecasters = _forecasters(occasions, past, days_ago, window)
        if forecasters is None:
            break
        windows.append(days_ago)
        outcomes.append((past, bought_after(occasions, past, days_ago, window)))
        for name, forecaster in forecasters.items():
            foretold.setdefault(name, []).append(_foretold(forecaster, past, window))
    complete = {name: parts for name, parts in foretold.items() if len(parts) == len(windows)}
    compared = sum(past.x.size for past, _ in outcomes)
    return Evaluation(window, tuple(windows), compared, _judged(complete, outcomes))


def learnt_baselines(occasions: Occasions, past: Past, days_ago: int, window: int) -> dict[str, Baseline]:
    """The baselines as they could be had so many days ago; the own rate always can."""
    return baselines_by_name(
        own_rate(past.x, past.T), lambda groups: silence_table(occasions, days_ago, window, groups)
    )


def baselines_by_name(own: OwnRate, table_of: Callable[[int], SilenceTable | None]) -> dict[str, Baseline]:
    """The own rate, and the tables of so many groups by silence that could be had."""
    tables = {RECENCY: table_of(GROUPS), POPULATION_MEAN: table_of(1)}
    return {OWN_RATE: own, **{name: table for name, table in tables.items() if table is not None}}


def _forecasters(occasions: Occasions, past: Past, days_ago: int, window: int) -> dict[str, Forecaster] | None:
    """None where there was too little to learn from."""
    if past.repeaters < FEWEST_REPEATERS:
        return None
    baselines = learnt_baselines(occasions, past, days_ago, window)
    if POPULATION_MEAN not in baselines:
        return None
    found: dict[str, Forecaster] = dict(baselines)
    for name in FITTED:
        try:
            fit = fit_buying(past.x, past.t_x, past.T, name)
        except FitFailed:
            continue
        # Rates without a bound take forecasts without an end to sum.
        if POLARISED_RATES not in fit.degeneracies:
            found[name] = fit.model
    return found


def _foretold(forecaster: Forecaster, past: Past, window: int) -> _Foretold:
    outlook = outlook_of(forecaster, past.x, past.t_x, past.T)
    return _Foretold(outlook.purchases(float(window)), outlook.churn(float(window)))


def _judged(foretold: Mapping[str, list[_Foretold]], outcomes: list[tuple[Past, Ints]]) -> dict[str, Judged]:
    if not outcomes:
        return {}
    bought = np.concatenate([after for _, after in outcomes])
    once = np.concatenate([past.x for past, _ in outcomes]) == 0
    found: dict[str, tuple[Metrics, Metrics]] = {}
    for name, parts in foretold.items():
        expected = np.concatenate([part.expected for part in parts])
        churn = np.concatenate([part.churn for part in parts])
        of_once = metrics_of(expected[once], churn[once], bought[once])
        found[name] = metrics_of(expected, churn, bought), of_once
    yardstick = found[POPULATION_MEAN][0]
    return {name: Judged(all_, once_, _loss(all_, yardstick)) for name, (all_, once_) in found.items()}


def _loss(metrics: Metrics, yardstick: Metrics) -> float:
    """Squared errors of purchases and of churn, each beside those of the population mean: 2 is as bad as that.

    Both are least for who tells the truth, whichever that is; neither can be bettered by an order alone.
    """
    return sum(
        (mine or 0.0) / theirs if theirs else 1.0
        for mine, theirs in ((metrics.rmse, yardstick.rmse), (metrics.churn_brier, yardstick.churn_brier))
    )


def report_of(evaluation: Evaluation, origins: Mapping[int, str]) -> dict[str, object]:
    """As JSON; `origins` has the day of each window's forecasts."""
    return {
        "window_days": evaluation.window_days,
        "origins": [origins[days_ago] for days_ago in evaluation.windows],
        "forecasts": evaluation.compared,
        "models": {
            name: {
                "loss": judged.loss,
                "everybody": asdict(judged.everybody),
                "one_time_buyers": asdict(judged.one_timers),
                "serves": name != BG_NBD,
            }
            for name, judged in sorted(evaluation.models.items(), key=lambda each: each[1].loss)
        },
    }
