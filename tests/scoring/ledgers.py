"""Customers with ledgers of any kind, for laws; and the same as the kernels hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from hypothesis import strategies as st

from regulars_scoring.adapters.engine.ledger import Ledger, ledger_of
from regulars_scoring.adapters.engine.population import Population, population_of
from regulars_scoring.domain.state import Entry, state_of, summary_of

AS_OF = date(2026, 6, 30)

Days = Mapping[date, Entry]

_entries = st.builds(Entry, st.integers(-300, 1_000), st.sampled_from([0, 1, 1, 2]))
_ages = st.one_of(st.integers(0, 130), st.integers(0, 900))
_customers: st.SearchStrategy[Days] = (
    st.dictionaries(_ages, _entries, min_size=1, max_size=9)
    .map(lambda by_age: {AS_OF - timedelta(days=age): entry for age, entry in by_age.items()})
    .filter(lambda days: any(entry.is_occasion for entry in days.values()))
)
people: st.SearchStrategy[Sequence[Days]] = st.lists(_customers, min_size=1, max_size=25)


def ledger_in(customers: Sequence[Days]) -> Ledger:
    rows = [
        (place, (AS_OF - day).days, entry.net_minor, entry.is_occasion)
        for place, days in enumerate(customers)
        for day, entry in sorted(days.items())
    ]
    customer, age, net, is_occasion = zip(*rows, strict=True)
    return ledger_of(np.array(customer), np.array(age), np.array(net), np.array(is_occasion))


def population_in(customers: Sequence[Days]) -> Population:
    summaries = [summary_of(state_of(days), AS_OF) for days in customers]
    columns = [(s.x, s.t_x, s.T, s.repeat_minor, s.total_minor) for s in summaries if s is not None]
    return population_of(*np.array(columns).T)


def occasions_in(days: Days, until: date = AS_OF) -> list[date]:
    return sorted(day for day, entry in days.items() if entry.is_occasion and day <= until)
