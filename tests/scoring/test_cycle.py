"""Who has stayed away for longer than usual: by their own gaps, by their segment's, by everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from math import ceil

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_scoring.adapters.engine.gaps import are_overdue, cycles_of, gaps_of
from regulars_scoring.domain.cycle import NO_CYCLES, Cycles, OwnCycle, own_cycle_of, rank_of_limit
from scoring.ledgers import AS_OF, Days, ledger_in, occasions_in, people

MARCH = date(2026, 3, 1)
CYCLES = Cycles({"loyal": 12}, 40)


def came(*gaps: int) -> list[date]:
    """Days of purchase with these gaps, from 1 March on."""
    days = [MARCH]
    for gap in gaps:
        days.append(days[-1] + timedelta(days=gap))
    return days


def test_silence_is_held_against_nine_tenths_of_the_customers_own_gaps() -> None:
    # Ten gaps: nine tenths of them are at most the ninth, which is 9 days; the tenth, of 50, was an exception.
    occasions = came(1, 2, 3, 4, 5, 6, 7, 8, 9, 50)
    on_the_day = occasions[-1] + timedelta(days=9)
    assert own_cycle_of(occasions, "loyal", CYCLES, on_the_day) == OwnCycle(9, 9, "customer")
    late = own_cycle_of(occasions, "loyal", CYCLES, on_the_day + timedelta(days=1))
    assert late == OwnCycle(10, 9, "customer")
    assert (OwnCycle(9, 9, "customer").is_overdue, OwnCycle(10, 9, "customer").is_overdue) == (False, True)


def test_three_gaps_are_enough_and_two_are_not() -> None:
    assert own_cycle_of(came(5, 7, 6), "loyal", CYCLES, AS_OF) == OwnCycle(103, 7, "customer")
    assert own_cycle_of(came(5, 7), "loyal", CYCLES, AS_OF) == OwnCycle(109, 12, "segment")
    assert own_cycle_of(came(), "new", CYCLES, AS_OF) == OwnCycle(121, 40, "everybody")
    assert own_cycle_of(came(), "new", NO_CYCLES, AS_OF) is None


@given(st.integers(1, 200))
def test_the_rank_is_the_least_that_nine_tenths_do_not_exceed(gaps: int) -> None:
    place = rank_of_limit(gaps)
    assert 0 <= place < gaps
    assert place + 1 == ceil(gaps * 9 / 10 - 1e-9)


@given(people, st.integers(0, 4))
@settings(max_examples=120, deadline=None)
def test_the_kernels_flag_whom_a_live_score_flags(customers: Sequence[Days], seed: int) -> None:
    names = ("calm", "brisk", "empty")
    segments = [(place + seed) % 2 for place in range(len(customers))]
    gaps = gaps_of(ledger_in(customers).occasions)
    cycles = cycles_of(gaps, np.array(segments), names)
    assert cycles == cycles_by_hand(customers, [names[segment] for segment in segments])
    silence = np.array([(AS_OF - occasions_in(days)[-1]).days for days in customers])
    flags = are_overdue(gaps, silence, [names[segment] for segment in segments], cycles)
    for days, segment, flag in zip(customers, segments, flags.tolist(), strict=True):
        live = own_cycle_of(occasions_in(days), names[segment], cycles, AS_OF)
        assert flag is (live is not None and live.is_overdue)


def cycles_by_hand(customers: Sequence[Days], segments: Sequence[str]) -> Cycles:
    found: dict[str, list[int]] = {}
    for days, segment in zip(customers, segments, strict=True):
        for earlier, later in pairwise(occasions_in(days)):
            found.setdefault(segment, []).append((later - earlier).days)
            found.setdefault("", []).append((later - earlier).days)
    limits = {segment: sorted(gaps)[rank_of_limit(len(gaps))] for segment, gaps in found.items()}
    everybody = limits.pop("", None)
    return Cycles(limits, everybody)
