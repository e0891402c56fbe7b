"""The pieces of `make bench-nightly`: who it invents, and its arithmetic."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest

from chain_path.tills import Sale
from nightly_path.filling import some_of
from nightly_path.night import Night, waits_of
from nightly_path.processes import BEHIND, SERVING, WORKER, Taken
from nightly_path.report import judged, rows_of

ADA = UUID(int=1)


def a_taken(worker_mb: float = 600.0) -> Taken:
    taken = Taken()
    for role, peak_mb in ((WORKER, worker_mb), (BEHIND, 150.0), (SERVING, 140.0)):
        taken.note(role, peak_mb, 12.5)
    return taken


def a_night(p99_s: float, worker_mb: float = 600.0) -> Night:
    waits_s = [p99_s / 2] * 98 + [p99_s] * 2
    return Night(60.0, 600.0, 1_000_000, 990_000, [0.02] * 100, waits_s, a_taken(worker_mb))


@pytest.mark.parametrize(("p99_s", "ratio", "colour"), [(0.03, 1.5, "green"), (0.04, 2, "green"), (0.041, 2.05, "red")])
def test_a_till_may_wait_twice_as_long_in_the_night(p99_s: float, ratio: float, colour: str) -> None:
    rows = {str(row["case"]): row for row in rows_of({"night": a_night(p99_s)})}
    till = rows["till_in_night"]
    assert [till[key] for key in ("ours", "peer", "ratio", "unit")] == [p99_s * 1e3, 20, ratio, "p99 in ms"]
    assert till["p50_ms"] == p99_s * 5e2
    assert judged(till) == f"[{colour}]ratio ≤ 2[/]"
    assert [rows["night_run"][key] for key in ("ours", "unit", "told")] == [600, "s", 990_000]
    assert (rows["night_drafted"]["ours"], rows["night_drafted"]["worker_cpu_s"]) == (60, 12.5)


def test_memory_is_that_of_the_greediest_night() -> None:
    rows = rows_of({"first_night": a_night(0.02, 700), "night": a_night(0.02, 650)})
    assert [(row["case"], row["ours"]) for row in rows[-3:]] == [("worker", 700), ("behind", 150), ("serving", 140)]


def test_a_till_waits_from_when_its_purchase_was_due() -> None:
    assert waits_of([Sale(ADA, due=10.0, sent=12.0, answered=12.5)]) == [2.5]


def test_no_customer_buys_twice_in_a_turn() -> None:
    drawn = some_of(1_000, 900, np.random.default_rng(1))
    assert len(set(drawn)) == 900
