"""`pymc-marketing`, in its own environment: `python -m scoring_path.pymc_marketing_peer score SOURCE WARM_UP`.

Its fit is MAP; under flat priors that is the maximum of the likelihood, as of the others.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pymc_extras.prior import Prior
from pymc_marketing.clv import GammaGammaModel, ModifiedBetaGeoModel

from scoring_path.metering import meter


def read(folder: str) -> Any:
    """As its models want the columns; spend in major units."""
    x, t_x, T, repeat = (np.load(Path(folder) / f"{name}.npy") for name in ("x", "t_x", "T", "repeat_minor"))
    mean = repeat / 100.0 / np.maximum(x, 1)
    columns = {"frequency": x, "recency": t_x, "T": T, "monetary_value": mean}
    people = pd.DataFrame({name: column.astype(np.float64) for name, column in columns.items()})
    return people.assign(customer_id=np.arange(x.size))


def fit_and_score(people: Any) -> Mapping[str, float]:
    buying = ModifiedBetaGeoModel(people.drop(columns="monetary_value"), model_config=_flat("r", "alpha", "a", "b"))
    buying.fit(method="map", progressbar=False)
    repeaters = people[(people.frequency > 0) & (people.monetary_value > 0)]
    spent = repeaters[["customer_id", "frequency", "monetary_value"]]
    spending = GammaGammaModel(spent, model_config=_flat("p", "q", "v"))
    spending.fit(method="map", progressbar=False)
    clv = spending.expected_customer_lifetime_value(buying, people, future_t=12, discount_rate=0.01, time_unit="D")
    return {
        **{
            f"purchases_{days}": float(buying.expected_purchases(people, future_t=days).sum()) for days in (30, 90, 365)
        },
        "alive": float(buying.expected_probability_alive(people).sum()),
        "spend": float(spending.expected_customer_spend(people).sum()),
        "clv": float(clv.sum()),
    }


def _flat(*names: str) -> dict[str, Any]:
    return {name: Prior("HalfFlat") for name in names}


def main(work: str, source: str, warm_up: str) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    people = read(source)
    fit_and_score(read(warm_up))
    meter(lambda: fit_and_score(people))


if __name__ == "__main__":
    main(*sys.argv[1:])
