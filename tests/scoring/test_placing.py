"""Everybody's places in RFM by a shop's own settings: the kernels beside the definition, customer by customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_scoring.adapters.engine.placing import Axes, Places, axes_at, axes_of, cuts_for, places_by
from regulars_scoring.domain.grid import Area, Grid
from regulars_scoring.domain.refusals import InvalidRfm
from regulars_scoring.domain.rfm import Cell, cell_of, recent_of, score_by
from regulars_scoring.domain.rfm_settings import DEFAULT_SETTINGS, OwnCuts, RfmSettings, check_settings
from scoring.ledgers import AS_OF, Days, ledger_in, occasions_in, people, population_in
from scoring.test_rfm import rank

four = st.lists(st.integers(-50, 200), min_size=4, max_size=4, unique=True).map(lambda cut: tuple(sorted(cut)))
any_settings = st.builds(
    RfmSettings,
    window_days=st.none() | st.integers(1, 400),
    is_nested=st.booleans(),
    cuts=st.builds(OwnCuts, st.none() | four, st.none() | four, st.none() | four),
)

Three = tuple[int, int, int]


def axes_by_hand(customers: Sequence[Days], days_ago: int, window_days: int | None) -> dict[int, Three]:
    """Negated days of silence, occasions, net; of those who had an occasion by that day."""
    day = AS_OF - timedelta(days=days_ago)
    found = {}
    for place, days in enumerate(customers):
        occasions = occasions_in(days, day)
        if occasions:
            recent = recent_of(days, day, window_days or 100_000)
            found[place] = (occasions[-1] - day).days, recent.occasions, recent.net_minor
    return found


def cells_by_hand(axes: Sequence[Three], said: RfmSettings) -> list[Cell]:
    """By rank among all, or among those alike on the axes before; by the shop's own cuts where it has some."""
    cells: list[tuple[int, ...]] = [() for _ in axes]
    for axis, own in enumerate((said.cuts.recency, said.cuts.frequency, said.cuts.monetary_minor)):
        before = list(cells)
        for place, values in enumerate(axes):
            is_rival = [not said.is_nested or cell == before[place] for cell in before]
            rivals = [each[axis] for each, counts in zip(axes, is_rival, strict=True) if counts]
            score = rank(rivals, values[axis], 5) if own is None else score_by(own, values[axis])
            cells[place] += (score,)
    return [Cell(*cell) for cell in cells]


def cells_of(places: Places) -> list[Cell]:
    columns = (places.recency.tolist(), places.frequency.tolist(), places.monetary.tolist())
    return [Cell(*cell) for cell in zip(*columns, strict=True)]


def placed(rows: Sequence[Three], said: RfmSettings) -> list[Cell]:
    axes = Axes(*np.array(rows).T)
    return cells_of(places_by(cuts_for(axes, said), axes))


@given(people, any_settings, st.integers(0, 500))
@settings(max_examples=150, deadline=None)
def test_the_kernels_place_as_the_definition_does(customers: Sequence[Days], said: RfmSettings, days_ago: int) -> None:
    here, axes = axes_at(ledger_in(customers), days_ago, said.window_days)
    by_hand = axes_by_hand(customers, days_ago, said.window_days)
    columns = list(zip(axes.recency.tolist(), axes.frequency.tolist(), axes.monetary.tolist(), strict=True))
    assert dict(zip(here.tolist(), columns, strict=True)) == by_hand
    if not columns:
        return
    cuts = cuts_for(axes, said)
    cells = cells_of(places_by(cuts, axes))
    assert cells == cells_by_hand(columns, said)
    # As a live score has it.
    assert cells == [cell_of(cuts, -recency, frequency, monetary) for recency, frequency, monetary in columns]


@given(people)
@settings(max_examples=50, deadline=None)
def test_the_days_and_the_states_say_the_same_of_all_history(customers: Sequence[Days]) -> None:
    here, axes = axes_at(ledger_in(customers), 0, None)
    of_states = axes_of(population_in(customers))
    assert here.tolist() == list(range(len(customers)))
    for axis in ("recency", "frequency", "monetary"):
        assert getattr(axes, axis).tolist() == getattr(of_states, axis).tolist()


@given(people, st.booleans())
@settings(max_examples=80, deadline=None)
def test_customers_who_are_alike_stay_together(customers: Sequence[Days], is_nested: bool) -> None:
    twice = [*customers, *customers]
    axes = axes_of(population_in(twice))
    places = places_by(cuts_for(axes, replace(DEFAULT_SETTINGS, is_nested=is_nested)), axes)
    for axis in (places.recency, places.frequency, places.monetary):
        first, second = axis[: len(customers)].tolist(), axis[len(customers) :].tolist()
        assert first == second
        assert all(1 <= score <= 5 for score in first)


def test_nested_scores_are_told_among_those_alike() -> None:
    # Ten customers, five of whom bought today and five 100 days ago; each half came 1, 2, 3, 4, 5 times.
    visits = [1, 2, 3, 4, 5]
    axes = [(-age, count, 100 * count) for age in (0, 100) for count in visits]
    said = replace(DEFAULT_SETTINGS, is_nested=True)
    # Of those of today, below and half of the equal are 5 + 2.5 of 10: 1 + floor(5 x 0.75) = 4; of the others 2.5 of
    # 10: 1 + floor(5 x 0.25) = 2. Within its half, each count stands for a fifth: 1 to 5. Each customer is alone with
    # these two scores: half of one of one, 1 + floor(5 x 0.5) = 3.
    assert placed(axes, said) == [Cell(r, f, 3) for r in (4, 2) for f in visits]
    # Independent: below and half of the equal are 1, 3, 5, 7, 9 of 10.
    assert [cell.frequency for cell in placed(axes, DEFAULT_SETTINGS)] == [1, 2, 3, 4, 5] * 2


def test_own_cuts_are_in_the_shops_own_words() -> None:
    cuts = OwnCuts(recency_days=(30, 60, 120, 240))
    assert cuts.recency == (-240, -120, -60, -30)
    assert OwnCuts().recency is None


WHOLE = (1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("areas", "field", "words"),
    [
        ([Area("all but one", WHOLE, (1, 2, 3, 4)), Area("rest", (1, 2, 3, 4), (5,))], "/grid", "5 is in no area"),
        ([Area("all", WHOLE, WHOLE), Area("again", (3,), (3,))], "/grid", "frequency 3 is in 2 areas"),
        ([Area("all", (1, 2, 3, 4, 5, 5), WHOLE)], "/grid/0/recency", "named once"),
    ],
)
def test_a_grid_that_leaves_a_cell_out_or_names_it_twice_is_refused(areas: list[Area], field: str, words: str) -> None:
    with pytest.raises(InvalidRfm, match=words) as refused:
        check_settings(replace(DEFAULT_SETTINGS, grid=Grid(tuple(areas))))
    assert refused.value.field == field


def test_a_segment_may_be_of_several_areas() -> None:
    grid = Grid((Area("edge", (1,), WHOLE), Area("middle", (2, 3, 4), WHOLE), Area("edge", (5,), WHOLE)))
    check_settings(replace(DEFAULT_SETTINGS, grid=grid))
    assert grid.segments == ("edge", "middle")
    assert [grid.segment_of(score, 1) for score in WHOLE] == ["edge", "middle", "middle", "middle", "edge"]


@pytest.mark.parametrize("cut", [(1, 2, 2, 3), (4, 3, 2, 1)])
def test_cuts_that_do_not_ascend_are_refused(cut: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRfm, match="cuts ascend") as refused:
        check_settings(replace(DEFAULT_SETTINGS, cuts=OwnCuts(frequency=cut)))
    assert refused.value.field == "/cuts/frequency"
