"""The pieces of `make bench-scoring`: the customers it invents, its arithmetic, and that it fails on other answers."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pytest

from purchase_path.measuring import Failed
from regulars_scoring.adapters.engine.population import population_of
from scoring_path import ours
from scoring_path.environments import LIFETIMES, PYMC_MARKETING
from scoring_path.metering import meter
from scoring_path.report import check_agreement, judged, rows_of
from scoring_path.running import OURS, Turn
from scoring_path.simulating import COLUMNS, DAYS, FEW, purchases_of, states_of, write_purchases, write_states


def a_turn(cpu_s: float, clv: float = 1_000.0, peak_mb: float = 200.0) -> Turn:
    return {"cpu_s": cpu_s, "clv": clv, "peak_mb": peak_mb}


def test_a_peer_stands_beside_ours_by_the_medians_of_the_rounds() -> None:
    mine = [a_turn(0.4), a_turn(0.5, peak_mb=220), a_turn(1.0)]
    theirs = [a_turn(24, peak_mb=500), a_turn(26, peak_mb=490), a_turn(40, peak_mb=480)]
    (row,) = rows_of({"score_1m": {OURS: mine, LIFETIMES: theirs}})
    assert [row[key] for key in ("case", "ours", "peer", "ratio", "unit")] == [
        *("score_1m_vs_lifetimes", 0.5, 26, 52, "CPU s"),
    ]
    assert (row["ours_mb"], row["peer_mb"], row["ratio_spread"]) == (220, 500, [40, 60])
    assert judged(row) == "[green]ratio ≥ 50[/], [green]MB ≤ 600[/]"


def test_a_bar_that_is_missed_is_red() -> None:
    (row,) = rows_of({"score_1m": {OURS: [a_turn(1, peak_mb=601)], PYMC_MARKETING: [a_turn(24)]}})
    assert row["case"] == "score_1m_vs_pymc_marketing"
    assert judged(row) == "[red]ratio ≥ 25[/], [red]MB ≤ 600[/]"


def test_who_has_no_peer_has_no_ratio() -> None:
    live = {"cpu_s": 0.4, "mean_ms": 0.3, "peak_mb": 80.0}
    alone, score = rows_of({"score_20m": {OURS: [a_turn(9, peak_mb=2_600)]}, "live_score": {OURS: [live]}})
    assert [alone[key] for key in ("ours", "peer", "ratio", "unit")] == [9, None, None, "CPU s"]
    assert judged(alone) == "[green]≤ 12[/], [red]MB ≤ 2,500[/]"
    assert [score[key] for key in ("ours", "unit")] == [0.3, "CPU ms"]


@pytest.mark.parametrize(("clv", "is_same"), [(1_000.09, True), (999.91, True), (1_000.2, False), (np.nan, False)])
def test_answers_may_differ_by_a_ten_thousandth(clv: float, is_same: bool) -> None:
    if is_same:
        check_agreement("score_1m", LIFETIMES, [a_turn(1)], [a_turn(50, clv)])
    else:
        with pytest.raises(Failed, match="score_1m: the sum of clv is 1,000"):
            check_agreement("score_1m", LIFETIMES, [a_turn(1)], [a_turn(50, clv)])


def test_states_are_those_of_the_purchases() -> None:
    some = purchases_of(500, FEW, np.random.default_rng(1))
    x, t_x, T, repeat, total = states_of(some)
    for customer in (*range(20), int(x.argmax())):
        days = some.day[some.customer == customer]
        minor = some.minor[some.customer == customer]
        assert (x[customer], t_x[customer]) == (len(set(days.tolist())) - 1, days.max())
        assert (repeat[customer], total[customer]) == (minor[days > 0].sum(), minor.sum())
    assert ((t_x <= T) & (T >= 1) & (T <= DAYS) & ((x > 0) == (t_x > 0))).all()


def test_as_many_customers_and_purchases_are_written_as_were_asked_for(tmp_path: Path) -> None:
    write_states(300, tmp_path / "states")
    columns = [np.load(tmp_path / "states" / f"{name}.npy") for name in COLUMNS]
    assert {column.size for column in columns} == {300}
    assert (ours.read(str(tmp_path / "states")).x == columns[0]).all()
    write_purchases(1_000, tmp_path / "purchases.parquet")
    with duckdb.connect() as connection:
        found = connection.sql(f"SELECT count(*), min(amount) > 0, max(date) FROM '{tmp_path}/purchases.parquet'")
        count, is_paid, last = found.fetchall()[0]
    assert (count, is_paid) == (1_000, True)
    assert last.date() <= ours.AS_OF


def test_our_turns_say_what_they_found_and_what_it_took(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    people = population_of(*states_of(purchases_of(3_000, FEW, np.random.default_rng(2))))
    meter(lambda: ours.fit_and_score(people))
    said = json.loads(capsys.readouterr().out)
    assert said["purchases_30"] < said["purchases_90"] < said["purchases_365"]
    assert 0 < said["alive"] < people.size
    assert said["clv"] > 0 and said["cpu_s"] > 0 and said["peak_mb"] > 10
    assert ours.live_scores(people)["mean_ms"] > 0
    write_purchases(2_000, tmp_path / "purchases.parquet")
    states = ours.states(str(tmp_path / "purchases.parquet"))
    with duckdb.connect() as connection:
        days = connection.sql(f"SELECT count(DISTINCT (customer, date)) FROM '{tmp_path}/purchases.parquet'")
        customers = connection.sql(f"SELECT count(DISTINCT customer) FROM '{tmp_path}/purchases.parquet'")
        assert states["x"] == days.fetchall()[0][0] - customers.fetchall()[0][0]
