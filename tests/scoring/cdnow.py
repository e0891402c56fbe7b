"""CDNOW as the papers cut it: calibration until 1997-09-30; see data/NOTICE for where it comes from."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from regulars_scoring.adapters.engine.occasions import Occasions, occasions_of
from regulars_scoring.adapters.engine.population import Population, population_of
from regulars_scoring.domain.state import BuyingState, Entry, state_of, summary_of

CALIBRATION_END = date(1997, 9, 30)
HOLD_OUT_DAYS = 273
"""39 weeks, until 1998-06-30."""
FILE = Path(__file__).parent / "data" / "cdnow_sample.csv"


@dataclass(frozen=True, slots=True)
class Buyer:
    state: BuyingState
    bought_in_hold_out: int
    ages: tuple[int, ...]
    """Of the occasions of the calibration, in days before its end."""


@cache
def buyers() -> tuple[Buyer, ...]:
    """Customers in the file's order, which is that of the published tables."""
    ledgers: defaultdict[str, dict[date, Entry]] = defaultdict(dict)
    with FILE.open() as rows:
        for row in csv.DictReader(rows):
            ledger, day = ledgers[row["customer_id"]], date.fromisoformat(row["date"])
            sale = Entry(round(100 * float(row["dollar_value"])), 1)
            ledger[day] = ledger.get(day, Entry()) + sale
    return tuple(_buyer(ledger) for ledger in ledgers.values())


def _buyer(ledger: dict[date, Entry]) -> Buyer:
    calibration = {day: entry for day, entry in ledger.items() if day <= CALIBRATION_END}
    ages = tuple((CALIBRATION_END - day).days for day in calibration)
    return Buyer(state_of(calibration), len(ledger) - len(calibration), ages)


@cache
def population() -> Population:
    summaries = [summary_of(buyer.state, CALIBRATION_END) for buyer in buyers()]
    rows = [(s.x, s.t_x, s.T, s.repeat_minor, s.total_minor) for s in summaries if s is not None]
    return population_of(*np.array(rows, dtype=np.int64).T)


@cache
def occasions() -> Occasions:
    rows = [(place, age) for place, buyer in enumerate(buyers()) for age in buyer.ages]
    return occasions_of(*np.array(rows, dtype=np.int64).T)
