"""The statements by which Spark says who is overdue, on DuckDB, which reads them alike; and the kernels beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_scoring.adapters.engine.gaps import are_overdue, cycles_of, cycles_of_counts, gaps_of
from regulars_scoring.adapters.engine.ledger import Ledger
from regulars_scoring.adapters.engine.population import Population
from regulars_scoring.adapters.files.bench import Bench, a_bench, dated
from regulars_scoring.adapters.files.spark.cycles import flag_overdue, gaps_alike
from regulars_scoring.domain.cycle import NO_CYCLES, Cycles
from regulars_scoring.domain.state import Entry
from scoring.ledgers import AS_OF, Days, ledger_in, people, population_in

SEGMENTS = ("can't lose", "new", "loyal")


@given(people, st.lists(st.sampled_from([0, 1]), min_size=25, max_size=25))
@settings(max_examples=40, deadline=None)
def test_spark_flags_whom_the_kernels_flag(customers: Sequence[Days], drawn: Sequence[int]) -> None:
    segments = np.array(drawn[: len(customers)])
    names = [SEGMENTS[place] for place in segments]
    ledger, population = ledger_in(customers), population_in(customers)
    limits = cycles_of(gaps_of(ledger.occasions), segments, SEGMENTS)
    with a_bench() as bench:
        keep_people(bench, ledger, population, names)
        assert cycles_of_counts(*gaps_alike(bench, AS_OF)) == limits
        flag_overdue(bench, limits)
        flags = [flag for (flag,) in bench.rows("SELECT is_overdue FROM flagged ORDER BY customer")]
    silence = population.T - population.t_x
    assert flags == are_overdue(gaps_of(ledger.occasions), silence, names, limits).tolist()


def test_nobody_is_overdue_where_nobody_came_twice() -> None:
    once = [{AS_OF - timedelta(days=900): Entry(500, 1)}]
    with a_bench() as bench:
        keep_people(bench, ledger_in(once), population_in(once), ["new"])
        assert cycles_of_counts(*gaps_alike(bench, AS_OF)) == NO_CYCLES
        flag_overdue(bench, NO_CYCLES)
        assert bench.row("SELECT is_overdue FROM flagged") == (False,)


@pytest.mark.parametrize(
    ("gaps", "segment", "limit"), [((50, *range(1, 10)), "loyal", 9), ((5, 7), "can't lose", 30), ((), "new", 40)]
)
def test_silence_as_long_as_the_limit_is_not_overdue(gaps: Sequence[int], segment: str, limit: int) -> None:
    """Their own, their segment's, everybody's."""
    customers = [
        {AS_OF - timedelta(days=silence + sum(gaps[:place])): Entry(500, 1) for place in range(len(gaps) + 1)}
        for silence in (limit, limit + 1)
    ]
    with a_bench() as bench:
        keep_people(bench, ledger_in(customers), population_in(customers), [segment, segment])
        gaps_alike(bench, AS_OF)
        flag_overdue(bench, Cycles({"can't lose": 30}, 40))
        assert bench.rows("SELECT is_overdue FROM flagged ORDER BY customer") == [(False,), (True,)]


def keep_people(bench: Bench, ledger: Ledger, population: Population, segments: Sequence[str]) -> None:
    """The tables that are there once everybody is placed. They all come again the day after, which counts nothing."""
    bench.lend("entries", {"customer": ledger.customer, "age": ledger.age, "is_occasion": ledger.is_occasion})
    people = {"customer": np.arange(population.size), "segment": np.array(segments, dtype=object)}
    bench.lend("people", {**people, "t_x": population.t_x, "T": population.T})
    known = f"SELECT customer, {dated(AS_OF)} - CAST(age AS INTEGER) AS day, is_occasion FROM entries"
    bench.keep("days", f"{known} UNION ALL SELECT customer, {dated(AS_OF + timedelta(days=1))}, true FROM people")
    bench.keep("valued", "SELECT * FROM people")
    bench.call("placed", "SELECT * FROM valued")
