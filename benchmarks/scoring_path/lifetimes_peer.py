"""`lifetimes`, in its own environment: `python -m scoring_path.lifetimes_peer score|states SOURCE [WARM_UP]`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lifetimes import GammaGammaFitter, ModifiedBetaGeoFitter
from lifetimes.utils import summary_data_from_transaction_data

from scoring_path.metering import meter

LAST_DAY = "2025-12-31"


def read(folder: str) -> Any:
    """As its own summary has the columns; spend in major units."""
    x, t_x, T, repeat = (np.load(Path(folder) / f"{name}.npy") for name in ("x", "t_x", "T", "repeat_minor"))
    mean = repeat / 100.0 / np.maximum(x, 1)
    columns = {"frequency": x, "recency": t_x, "T": T, "monetary": mean}
    return pd.DataFrame({name: column.astype(np.float64) for name, column in columns.items()})


def fit_and_score(people: Any) -> Mapping[str, float]:
    states = people.frequency, people.recency, people["T"]
    buying = ModifiedBetaGeoFitter().fit(*states)
    repeaters = people[(people.frequency > 0) & (people.monetary > 0)]
    spending = GammaGammaFitter().fit(repeaters.frequency, repeaters.monetary)
    expected = buying.conditional_expected_number_of_purchases_up_to_time
    clv = spending.customer_lifetime_value(buying, *states, people.monetary, time=12, discount_rate=0.01, freq="D")
    return {
        **{f"purchases_{days}": float(np.sum(expected(days, *states))) for days in (30, 90, 365)},
        "alive": float(np.sum(buying.conditional_probability_alive(*states))),
        "spend": float(spending.conditional_expected_average_profit(people.frequency, people.monetary).sum()),
        "clv": float(clv.sum()),
    }


def states(file: str) -> Mapping[str, float]:
    found = summary_data_from_transaction_data(
        pd.read_parquet(file), "customer", "date", "amount", observation_period_end=LAST_DAY
    )
    return {
        "x": float(found.frequency.sum()),
        "t_x": float(found.recency.sum()),
        "T": float(found["T"].sum()),
        "repeat": float((found.frequency * found.monetary_value).sum()),
    }


def main(work: str, source: str, warm_up: str = "") -> None:
    warnings.simplefilter("ignore")
    if work == "states":
        meter(lambda: states(source))
        return
    people = read(source)
    fit_and_score(read(warm_up))
    meter(lambda: fit_and_score(people))


if __name__ == "__main__":
    main(*sys.argv[1:])
