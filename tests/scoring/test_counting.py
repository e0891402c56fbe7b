"""A fit to a table of those who are alike is the fit to everybody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars_scoring.adapters.engine.baselines import own_rate, table_of_silence
from regulars_scoring.adapters.engine.counting import counted, quantiles
from regulars_scoring.adapters.engine.cutting import fifths_of, tenths_between
from regulars_scoring.adapters.engine.fitting import fit_buying, fit_repeat_spend
from regulars_scoring.domain.model import BG_NBD, MBG_NBD, PARETO_NBD, bounds_between, decile_bounds_of
from regulars_scoring.domain.rfm import cuts_between, cuts_of, cuts_of_counts
from scoring import cdnow

numbers = st.lists(st.integers(0, 20), min_size=1, max_size=60)


def alike(*columns: Any) -> tuple[Any, ...]:
    """The distinct rows as columns, and how often each occurs: in the opposite order, for none may matter."""
    rows, customers = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)
    return (*rows[::-1].T, customers[::-1])


@pytest.mark.parametrize("name", [MBG_NBD, BG_NBD, PARETO_NBD])
def test_a_model_fitted_to_those_who_are_alike_is_that_of_everybody(name: str) -> None:
    people = cdnow.population()
    x, t_x, T, customers = alike(people.x, people.t_x, people.T)
    assert customers.size < people.size
    assert fit_buying(x, t_x, T, name, customers) == fit_buying(people.x, people.t_x, people.T, name)


def test_spends_fitted_to_those_who_are_alike_are_those_of_everybody() -> None:
    people = cdnow.population()
    paid = (people.x > 0) & (people.repeat_minor > 0)
    x, minor, customers = alike(people.x[paid], people.repeat_minor[paid])
    each = fit_repeat_spend(people.x[paid], people.repeat_minor[paid] / 100, 30.0)
    of_table = fit_repeat_spend(x, minor / 100, 30.0, customers)
    assert (of_table.customers, of_table.name) == (each.customers, "gamma_gamma")
    assert of_table.log_likelihood == pytest.approx(each.log_likelihood, rel=1e-12)
    assert of_table.correlation == pytest.approx(each.correlation, rel=1e-9)
    for letter in ("p", "q", "v"):
        assert getattr(of_table.model, letter) == pytest.approx(getattr(each.model, letter), rel=1e-10)


def test_too_few_in_a_table_are_too_few() -> None:
    one = np.array([2])
    assert fit_repeat_spend(one, one / 1, 30.0, np.array([9])).refusal == "too_few_purchases"


@given(silence=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3)), min_size=60, max_size=200))
def test_the_baselines_of_a_table_are_those_of_everybody(silence: list[tuple[int, int]]) -> None:
    days, bought = np.array(silence, dtype=np.int64).T
    each = table_of_silence(days, bought, np.ones_like(days), 30)
    silent, came, customers = alike(days, bought)
    assert table_of_silence(silent, came, customers, 30) == each
    assert own_rate(*alike(days, bought)) == own_rate(days, bought)


@given(values=numbers, share=st.floats(0, 1))
def test_a_quantile_of_a_table_is_that_of_everybody(values: list[int], share: float) -> None:
    column = np.array(values, dtype=np.int64)
    of_table, customers = alike(column)
    assert quantiles(of_table, [share], customers) == np.quantile(column, share, method="higher")


@given(values=numbers)
def test_cuts_of_counts_and_of_steps_are_those_of_everybody(values: list[int]) -> None:
    assert cuts_of_counts(counted(*alike(np.array(values)))) == cuts_of(values)
    assert cuts_between(steps(values, 5)) == cuts_of(values)


@given(values=st.lists(st.integers(-20, 20), max_size=60))
def test_a_column_is_cut_as_its_values_one_by_one(values: list[int]) -> None:
    assert fifths_of(np.array(values, dtype=np.int64)) == cuts_of(values)
    worth = [abs(value) / 4 for value in values]
    assert tenths_between(np.array(worth)) == decile_bounds_of(worth)


@given(values=numbers)
def test_bounds_of_tenths_are_those_of_everybody(values: list[int]) -> None:
    tenths: dict[int, list[int]] = {}
    for decile, negated in steps([-value for value in values], 10):
        tenths.setdefault(decile, []).append(-negated)
    found = bounds_between((decile, max(inside), min(inside)) for decile, inside in tenths.items())
    assert found == decile_bounds_of([float(value) for value in values])


def steps(values: list[int], count: int) -> list[tuple[int, int]]:
    """Each distinct value, ascending, after the number of its step: by the definition."""
    found = []
    for value in sorted(set(values)):
        below, equal = sum(other < value for other in values), values.count(value)
        found.append((min(count, 1 + count * (2 * below + equal) // (2 * len(values))), value))
    return found
