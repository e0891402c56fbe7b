"""Our own turn: `python -m scoring_path.ours score|states|live FOLDER_OR_FILE [WARM_UP]`.

By the functions that `regulars score` and the service's worker call.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from statistics import quantiles
from time import process_time
from uuid import UUID

import numpy as np

from regulars_scoring.adapters.engine.expectations import expectations_of
from regulars_scoring.adapters.engine.fitting import fit_buying, fit_spend
from regulars_scoring.adapters.engine.population import Population, population_of
from regulars_scoring.adapters.files import customers, ledger
from regulars_scoring.adapters.files.asking import Asking
from regulars_scoring.adapters.files.bench import a_bench
from regulars_scoring.domain.mbg_nbd import MbgNbd
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.rfm import RfmCuts
from regulars_scoring.domain.scoring import score
from regulars_scoring.domain.state import BuyingState
from scoring_path.metering import meter
from scoring_path.simulating import COLUMNS

HORIZONS = (30, 90, 365)
AS_OF = date(2025, 12, 31)
"""The last day of the purchases that are simulated."""
_UNIT = 100.0
LIVE_SCORES = 1_000
"""Each of a customer whose x and T are like nobody's before: nothing is remembered."""


def read(folder: str) -> Population:
    return population_of(*(np.load(Path(folder) / f"{name}.npy") for name in COLUMNS))


def fitted(population: Population) -> Model:
    buying = fit_buying(population.x, population.t_x, population.T).model
    assert isinstance(buying, MbgNbd)
    spending = fit_spend(population.x, population.repeat_minor / _UNIT, population.total_minor / _UNIT)
    cuts = RfmCuts((), (), ())
    return Model(UUID(int=1), AS_OF, 90, "EUR", buying, spending.model, spending.name, cuts, ())


def fit_and_score(population: Population) -> Mapping[str, float]:
    expected = expectations_of(population, fitted(population), HORIZONS)
    return {
        **{f"purchases_{days}": float(purchases.sum()) for days, purchases in expected.purchases.items()},
        "alive": float(expected.alive.sum()),
        "spend": float(expected.spend.sum()),
        "clv": float(expected.clv.sum()),
    }


def states(file: str) -> Mapping[str, float]:
    """From the file to columns of states; the sums tell whether they are the peer's."""
    with a_bench() as bench:
        ledger.ledger_of(bench, Asking(Path(file)), lambda _: None)
        customers.gather(bench, AS_OF)
        found = population_of(*customers.states(bench, AS_OF))
    sums = {name: float(getattr(found, name).sum()) for name in ("x", "t_x", "T")}
    return {**sums, "repeat": float(found.repeat_minor.sum()) / _UNIT}


def live_scores(population: Population) -> Mapping[str, float]:
    """Milliseconds of the processor that one score takes of the serving process, which has no kernels."""
    model = fitted(population)
    pairs = {(int(x), int(T)): place for place, (x, T) in enumerate(zip(population.x, population.T, strict=True))}
    took_ms = []
    for (x, T), place in islice(pairs.items(), LIVE_SCORES):
        first, repeat = AS_OF - timedelta(T), int(population.repeat_minor[place])
        last, total = first + timedelta(int(population.t_x[place])), int(population.total_minor[place])
        state = BuyingState(x + 1, total, first, last, total - repeat)
        before = process_time()
        score(state, model, AS_OF)
        took_ms.append(1e3 * (process_time() - before))
    return {
        "mean_ms": sum(took_ms) / len(took_ms),
        "p50_ms": quantiles(took_ms)[1],
        "p99_ms": quantiles(took_ms, n=100)[98],
    }


def main(work: str, source: str, warm_up: str = "") -> None:
    if work == "states":
        meter(lambda: states(source))
        return
    population = read(source)
    if work == "live":
        meter(lambda: live_scores(population))
        return
    fit_and_score(read(warm_up))
    meter(lambda: fit_and_score(population))


if __name__ == "__main__":
    main(*sys.argv[1:])
