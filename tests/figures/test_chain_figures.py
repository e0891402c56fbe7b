"""The arithmetic of `make bench-chain`: from instants to waits, from waits to rows, and who buys."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_path.cast import a_cast, history
from chain_path.chain import Chain
from chain_path.door import side_by_side
from chain_path.hops import Waits, first_of, percentile, waits
from chain_path.report import judged, row_of_door, rows_of_chain
from purchase_path.measuring import Failed, Reading

ADA, BEN, CLEO = (UUID(int=number) for number in range(1, 4))
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def some_waits(p99_ms: float, per_s: float = 200) -> Waits:
    """A hundred waits: 98 of half as long, then two of it."""
    return Waits([p99_ms / 2e3] * 98 + [p99_ms / 1e3] * 2, per_s)


def a_chain(*, alone_ms: float, busy_ms: float) -> Chain:
    hops = {"to_scored": some_waits(400), "to_segment": some_waits(1_900), "to_receiver": some_waits(3_100)}
    return Chain(hops, some_waits(busy_ms), some_waits(alone_ms), some_waits(1))


def test_a_percentile_is_the_value_of_the_nearest_rank() -> None:
    values = [float(value) for value in range(1, 201)]
    # 99 % of 200 are 198.
    assert (percentile(values, 0.50), percentile(values, 0.99)) == (100, 198)
    assert percentile([7.0], 0.99) == 7


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300), st.sampled_from([0.5, 0.99]))
def test_so_large_a_share_waits_no_longer_and_a_smaller_value_would_not_do(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


def test_each_customer_waits_from_their_own_purchase_on() -> None:
    since, until = {ADA: 10.0, BEN: 10.5, CLEO: 11.0}, {ADA: 10.25, BEN: 11.5, CLEO: 12.0}
    waited = waits(since, until)
    assert (waited.seconds, waited.p50_ms, waited.p99_ms) == ([0.25, 1, 1], 1_000, 1_000)
    # Three purchases between 10.0 and 12.0.
    assert waited.per_s == 1.5


def test_what_never_happened_to_somebody_is_no_figure() -> None:
    with pytest.raises(Failed, match="to 1 of 2 customers"):
        waits({ADA: 10, BEN: 11}, {BEN: 12, CLEO: 12})


def test_what_is_told_again_counts_by_its_first_time() -> None:
    assert first_of([(ADA, 5.0), (BEN, 2.0), (ADA, 3.0), (ADA, 4.0)]) == {ADA: 3, BEN: 2}


def test_a_hop_stands_beside_what_was_due_and_is_judged_by_its_p99() -> None:
    rows = {str(row["case"]): row for row in rows_of_chain("cluster", a_chain(alone_ms=20, busy_ms=30), 200)}
    segment = rows["cluster_to_segment"]
    assert [segment[key] for key in ("ours", "peer", "ratio", "unit")] == [200, 200, 1, "purchases/s"]
    assert (segment["p50_ms"], segment["p99_ms"]) == (950, 1_900)
    assert judged(segment) == "[green]p99 < 2,000[/]"
    assert judged(rows["cluster_to_receiver"]) == "[red]p99 < 3,000[/]"
    assert judged(rows["cluster_to_scored"]) == ""


@pytest.mark.parametrize(("busy_ms", "ratio", "colour"), [(30, 1.5, "green"), (40, 2, "green"), (41, 2.05, "red")])
def test_a_till_may_wait_twice_as_long_while_everybody_works(busy_ms: float, ratio: float, colour: str) -> None:
    alone, busy = rows_of_chain("embedded", a_chain(alone_ms=20, busy_ms=busy_ms), 200)[-2:]
    assert (alone["case"], alone["ours"], alone["p99_ms"]) == ("embedded_till_alone", 200, 20)
    assert (busy["case"], busy["ours"], busy["peer"], busy["ratio"]) == ("embedded_till_busy", busy_ms, 20, ratio)
    assert judged(busy) == f"[{colour}]ratio ≤ 2[/]"


def test_loads_at_the_same_time_are_one_load() -> None:
    assert side_by_side([Reading(100, 4, 9), Reading(120, 6, 30)]) == Reading(220, 5, 30)


@pytest.mark.parametrize(("through_nginx", "ratio", "colour"), [(1_200, 0.6, "green"), (1_190, 0.595, "red")])
def test_nginx_is_judged_by_the_medians_of_the_rounds(through_nginx: float, ratio: float, colour: str) -> None:
    nginx = [Reading(through_nginx, 10, 20), Reading(900, 9, 50), Reading(1_800, 12, 30)]
    service = [Reading(2_000, 8, 15), Reading(1_500, 8, 15), Reading(2_500, 8, 15)]
    row = row_of_door({"nginx": nginx, "service": service})
    assert [row[key] for key in ("case", "ours", "peer", "ratio")] == ["nginx_32", through_nginx, 2_000, ratio]
    assert (row["p50_ms"], row["p99_ms"]) == (10, 30)
    assert judged(row) == f"[{colour}]ratio ≥ 0.6[/]"


@pytest.mark.parametrize("purchases", [100, 2_000])
def test_nobody_of_the_load_is_among_the_latest_fifth_before_it(purchases: int) -> None:
    cast = a_cast(purchases, random.Random(1))
    last = _last_days(history(cast, NOW, random.Random(2)))
    assert last.keys() == {*cast.lapsed, *cast.regulars}
    assert len(cast.lapsed) == purchases
    by_recency = sorted(last, key=lambda customer: last[customer])
    latest_fifth = by_recency[: len(by_recency) // 5 + 1]
    assert not set(latest_fifth) & set(cast.lapsed)


def _last_days(past: Sequence[object]) -> dict[UUID, timedelta]:
    """How long ago each customer bought last."""
    days: dict[UUID, timedelta] = {}
    for receipt in past:
        assert isinstance(receipt, dict)
        customer = UUID(receipt["customer"]["id"])
        ago = NOW - datetime.fromisoformat(receipt["occurred_at"])
        days[customer] = min(ago, days.get(customer, ago))
    return days
