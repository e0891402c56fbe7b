"""The pieces of `make bench-nightly`: who it invents, its arithmetic, and what it leaves out."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest

from chain_path.tills import Sale
from nightly_path.filling import some_of
from nightly_path.night import Night, waits_of
from nightly_path.processes import BEHIND, SERVING, WORKER, Taken
from nightly_path.report import judged, rows_of
from purchase_path.measuring import Failed

ADA = UUID(int=1)


def a_taken(worker_mb: float = 600.0) -> Taken:
    taken = Taken()
    for role, peak_mb in ((WORKER, worker_mb), (BEHIND, 150.0), (SERVING, 140.0)):
        taken.note(role, peak_mb, 12.5)
    return taken


def a_night(p99_s: float, worker_mb: float = 600.0) -> Night:
    waits_s = [p99_s / 2] * 98 + [p99_s] * 2
    return Night(60.0, 600.0, 1_000_000, 990_000, [0.02] * 100, waits_s, 3, a_taken(worker_mb))


def a_sale(due: float, waits_s: float = 0.01, status: int = 201) -> Sale:
    return Sale(ADA, due, due, due + waits_s, status)


@pytest.mark.parametrize(("p99_s", "ratio", "colour"), [(0.03, 1.5, "green"), (0.04, 2, "green"), (0.041, 2.05, "red")])
def test_a_till_may_wait_twice_as_long_in_the_night(p99_s: float, ratio: float, colour: str) -> None:
    rows = {str(row["case"]): row for row in rows_of({"night": a_night(p99_s)})}
    till = rows["till_in_night"]
    assert [till[key] for key in ("ours", "peer", "ratio", "unit")] == [p99_s * 1e3, 20, ratio, "p99 in ms"]
    assert (till["p50_ms"], till["set_aside"]) == (p99_s * 5e2, 3)
    assert judged(till) == f"[{colour}]ratio ≤ 2[/]"
    assert [rows["night_run"][key] for key in ("ours", "unit", "told")] == [600, "s", 990_000]
    assert (rows["night_drafted"]["ours"], rows["night_drafted"]["worker_cpu_s"]) == (60, 12.5)


def test_memory_is_that_of_the_greediest_night() -> None:
    rows = rows_of({"first_night": a_night(0.02, 700), "night": a_night(0.02, 650)})
    assert [(row["case"], row["ours"]) for row in rows[-3:]] == [("worker", 700), ("behind", 150), ("serving", 140)]


def test_what_the_machine_stood_still_in_is_set_aside() -> None:
    taken = Taken(standstills=[(20.0, 60.0)])
    sales = [a_sale(10.0), a_sale(19.9, 40.2), a_sale(30.0, 30.1, status=503), a_sale(70.0)]
    assert waits_of(sales, taken) == pytest.approx([0.01, 0.01])


def test_a_refusal_is_no_figure() -> None:
    with pytest.raises(Failed, match="of 2 purchases 1 were refused, the first with 503"):
        waits_of([a_sale(10.0), a_sale(11.0, status=503)], Taken())


def test_no_customer_buys_twice_in_a_turn() -> None:
    drawn = some_of(1_000, 900, np.random.default_rng(1))
    assert len(set(drawn)) == 900
