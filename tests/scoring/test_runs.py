"""Runs over everybody: fitted in a process of their own, published some customers at a time, kept when they fail."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import text

from builders import ANNA
from regulars_contracts.events.scoring import ChurnRiskRaised, CustomerScored, RunCompleted
from regulars_scoring.application import run_scoring
from scoring.shop import TODAY, Shop, a_crowd, a_sale, code_of

COMMIT_S = 0.01


async def test_a_run_scores_everybody_and_says_so(shop: Shop) -> None:
    crowd = a_crowd()
    await shop.hear(*crowd)
    run = await shop.run()
    customers = {sale.customer_id for sale in crowd}
    assert (run["state"], run["customers"], run["published"]) == ("completed", len(customers), len(customers))
    scored = await shop.told(CustomerScored.type)
    assert {event.event().customer_id for event in scored} == customers  # type: ignore[attr-defined]
    completed = (await shop.told())[-1]
    served = run["report"]["choice"]["served"]
    assert {event.data["model"] for event in scored} == {served}
    assert completed.event() == RunCompleted(
        run_id=run["id"], as_of=TODAY, model=served, customers=len(customers), completed_at=shop.watch()
    )
    alarms = await shop.told(ChurnRiskRaised.type)
    assert run["alarms"] == len(alarms) == run["report"]["churn_bands"]["high"]


async def test_the_first_customers_are_published_at_once_and_the_rest_at_a_pace(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def sleep(pause: float) -> None:
        pauses.append(pause)

    monkeypatch.setattr(run_scoring, "asyncio", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(run_scoring, "monotonic", count(step=COMMIT_S).__next__)
    monkeypatch.setattr(run_scoring, "CUSTOMERS_PER_COMMIT", 15)
    monkeypatch.setattr(run_scoring, "AT_ONCE", 30)
    await shop.hear(*a_crowd())
    run = await shop.run()
    rest = run["customers"] - 30
    shares = [min(15, rest - first) / 750 for first in range(0, rest, 15)]
    assert pauses == [pytest.approx(max(0.0, share - COMMIT_S)) for share in shares]
    pauses.clear()
    assert (await shop.run())["published"] == 0
    assert pauses == [0.0] * len(shares), "nobody changed"


async def test_a_run_that_is_cancelled_while_it_publishes_stops_at_its_next_step(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.hear(*a_crowd())
    asked = await shop.ask_for_run()

    async def cancel(_: float) -> None:
        answer = await shop.send("POST", f"/v1/jobs/{asked['job_id']}/cancel")
        assert answer.status_code == 202, answer.text

    monkeypatch.setattr(run_scoring, "asyncio", SimpleNamespace(sleep=cancel))
    monkeypatch.setattr(run_scoring, "CUSTOMERS_PER_COMMIT", 15)
    monkeypatch.setattr(run_scoring, "AT_ONCE", 0)
    monkeypatch.setattr(run_scoring, "PROGRESS_EVERY_S", 0.0)
    assert await shop.work()
    run = await shop.get(f"/v1/scoring/runs/{asked['run_id']}")
    job = await shop.get(f"/v1/jobs/{asked['job_id']}")
    assert (run["state"], job["state"]) == ("cancelled", "cancelled")
    assert (run["published"], job["progress"], job["total"]) == (30, 30, run["customers"])
    assert await shop.told("scoring.run_completed.v1") == []


async def test_the_report_counts_every_customer_in_every_way(scored: Shop) -> None:
    (run,) = (await scored.get("/v1/scoring/runs"))["items"]
    report, rfm, deciles = run["report"], await scored.get("/v1/scoring/rfm"), await scored.get("/v1/scoring/deciles")
    assert sum(report["rfm_segments"].values()) == sum(report["churn_bands"].values()) == run["customers"]
    counted = {each["segment"]: each["customers"] for each in rfm["segments"] if each["customers"]}
    assert counted == report["rfm_segments"]
    assert sum(cell["customers"] for cell in rfm["cells"]) == run["customers"]
    assert [each["customers"] for each in deciles["deciles"]] == [each["customers"] for each in report["deciles"]]
    assert deciles["deciles"][0]["revenue_share"] == report["top_decile_revenue_share"]
    assert abs(deciles["expected_value_major"] - report["expected_value_major"]) < run["customers"]
    model = await scored.get("/v1/scoring/model")
    assert model["parameters"] == report["buying"]["parameters"]
    assert (model["run_id"], model["model"], model["is_degenerate"]) == (run["id"], report["buying"]["model"], False)


async def test_the_model_says_how_it_came_to_serve(scored: Shop) -> None:
    # Of sixty customers some few are expected to have left: the fits run to the boundary, and the own rate serves.
    model = await scored.get("/v1/scoring/model")
    assert (model["asked_model"], model["model"], model["reason"]) == ("auto", "own_rate", "degenerate")
    assert model["standard_errors"] is None
    fits, evaluation = model["fits"], model["evaluation"]
    assert {name: fit["is_degenerate"] for name, fit in fits.items()} == dict.fromkeys(fits, True)
    assert set(fits) == {"mbg_nbd", "bg_nbd", "pareto_nbd"}
    assert evaluation["window_days"] == 35  # a fifth of half a year
    assert {"mbg_nbd", "own_rate", "recency", "population_mean"} <= set(evaluation["models"])
    for judged in evaluation["models"].values():
        assert judged["everybody"]["customers"] == evaluation["forecasts"]
        assert judged["one_time_buyers"]["customers"] < evaluation["forecasts"]


async def test_a_run_can_be_asked_for_by_a_model_of_ones_own_choice(shop: Shop) -> None:
    await shop.hear(*a_crowd(300))
    for name in ("recency", "population_mean", "own_rate"):
        run = await shop.run(model=name)
        assert (run["asked_model"], run["report"]["choice"]["served"]) == (name, name)
        assert (await shop.told(RunCompleted.type))[-1].data["model"] == name
    (said, *_) = await shop.told(CustomerScored.type)
    assert (await shop.score(UUID(str(said.data["customer_id"]))))["residual_value"] is None


async def test_a_model_that_takes_one_time_buyers_for_alive_never_serves(shop: Shop) -> None:
    refused = await shop.send("POST", "/v1/scoring/runs", {"model": "bg_nbd"}, key="bg")
    assert code_of(refused) == (422, "invalid_field")


async def test_a_baseline_that_takes_more_history_than_there_is_leaves_a_failed_run(scored: Shop) -> None:
    before = await scored.get("/v1/scoring/model")
    run = await scored.run(model="recency", as_of=str(TODAY - timedelta(days=110)))
    assert (run["state"], run["failure"]["code"]) == ("failed", "fit_failed")
    assert await scored.get("/v1/scoring/model") == before


async def test_the_live_score_is_the_runs(scored: Shop) -> None:
    for event in await scored.told(CustomerScored.type):
        said = event.event()
        assert isinstance(said, CustomerScored)
        live = await scored.score(said.customer_id)
        assert live["rfm"] == said.rfm.model_dump()
        assert (live["rfm_segment"], live["decile"]) == (said.rfm_segment, said.decile)
        assert (live["churn_band"], round(live["clv"])) == (said.churn_band, said.clv_major)
        assert (f"{live['churn_90']:.2f}", f"{live['p_alive']:.2f}") == (said.churn_90, said.p_alive)


async def test_a_second_run_on_the_same_day_says_nothing_new_of_anybody(scored: Shop) -> None:
    (first,) = (await scored.get("/v1/scoring/runs"))["items"]
    second = await scored.run()
    assert (second["customers"], second["published"], second["alarms"]) == (first["customers"], 0, 0)
    assert len(await scored.told(RunCompleted.type)) == 2


async def test_too_few_who_bought_again_are_a_failed_run_that_says_so(shop: Shop) -> None:
    await shop.hear(a_sale(1000, "2026-02-10"), a_sale(1000, "2026-03-10"))
    started = await shop.ask_for_run()
    await shop.work()
    run = await shop.get(f"/v1/scoring/runs/{started['run_id']}")
    assert (run["state"], run["failure"]["code"], run["report"]) == ("failed", "too_few_purchases", None)
    job = await shop.get(f"/v1/jobs/{started['job_id']}")
    assert (job["state"], job["error"].split(":")[0]) == ("failed", "too_few_purchases")
    assert code_of(await shop.send("GET", f"/v1/scores/{ANNA}")) == (404, "not_scored_yet")
    assert code_of(await shop.send("GET", "/v1/scoring/model")) == (404, "not_scored_yet")


async def test_a_shop_without_customers_gets_a_failed_run_and_no_crash(shop: Shop) -> None:
    assert (await shop.run())["failure"]["code"] == "too_few_purchases"


async def test_a_failed_run_keeps_the_scores_as_they_were(shop: Shop) -> None:
    crowd = a_crowd()
    await shop.hear(*crowd)
    good = await shop.run()
    before = await shop.told()
    failed = await shop.run(as_of=str(TODAY - timedelta(days=400)))
    assert failed["failure"]["code"] == "too_few_purchases"
    assert await shop.told() == before
    assert (await shop.score(crowd[0].customer_id or ANNA))["run_id"] == good["id"]


async def test_purchases_after_the_runs_day_are_ignored_by_its_fit(shop: Shop) -> None:
    crowd = a_crowd()
    await shop.hear(*crowd)
    as_of = TODAY - timedelta(days=60)
    early = {sale.customer_id for sale in crowd if sale.business_date <= as_of}
    later = {sale.customer_id for sale in crowd if sale.business_date > as_of}
    run = await shop.run(as_of=str(as_of), horizon_days=30)
    assert (run["customers"], run["horizon_days"]) == (len(early), 30)
    days = {event.data["customer_id"]: event.data["as_of"] for event in await shop.told(CustomerScored.type)}
    assert {str(customer) for customer in early - later} == {who for who, on in days.items() if on == str(as_of)}


async def test_a_run_taken_up_again_after_a_crash_tells_nobody_twice(scored: Shop) -> None:
    (run,) = (await scored.get("/v1/scoring/runs"))["items"]
    before = await scored.told(CustomerScored.type)
    await scored.takes_the_last_run_up_again(
        "UPDATE customers SET scored_run = NULL, decile = decile % 10 + 1"
        " WHERE id IN (SELECT id FROM customers ORDER BY id LIMIT 5)"
    )
    assert await scored.work()
    after = await scored.told(CustomerScored.type)
    again = await scored.get(f"/v1/scoring/runs/{run['id']}")
    assert again["state"] == "completed"
    assert len(after) - len(before) == 5 == again["published"] - run["published"]


async def test_after_a_crash_of_the_server_the_drafts_are_gone_and_the_figures_are_the_same(scored: Shop) -> None:
    figures = "SELECT id, recency, frequency, monetary, decile, churn_hundredths, clv_major FROM customers ORDER BY id"
    before = await scored.rows(figures)
    await scored.takes_the_last_run_up_again(
        "TRUNCATE drafts", "UPDATE customers SET scored_run = NULL, decile = 10, clv_major = 0"
    )
    assert await scored.work()
    assert await scored.rows(figures) == before


async def test_there_is_one_run_at_a_time(shop: Shop) -> None:
    first = await shop.ask_for_run()
    refused = await shop.send("POST", "/v1/scoring/runs", {}, key="another")
    assert code_of(refused) == (409, "run_under_way")
    cancelled = await shop.send("POST", f"/v1/jobs/{first['job_id']}/cancel")
    assert cancelled.json()["state"] == "cancelled"
    assert (await shop.get(f"/v1/scoring/runs/{first['run_id']}"))["state"] == "cancelled"
    await shop.ask_for_run()
    assert [run["state"] for run in (await shop.get("/v1/scoring/runs"))["items"]] == ["queued", "cancelled"]


async def test_a_run_asked_for_twice_is_one_run(shop: Shop) -> None:
    answers = [await shop.send("POST", "/v1/scoring/runs", {"horizon_days": 30}, key="monday") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers] == [None, "true"]
    other = await shop.send("POST", "/v1/scoring/runs", {"horizon_days": 31}, key="monday")
    assert code_of(other) == (409, "idempotency_key_conflict")


async def test_runs_are_listed_a_page_at_a_time(shop: Shop) -> None:
    ids = [(await shop.run())["id"] for _ in range(3)]
    page = await shop.get("/v1/scoring/runs?limit=2")
    assert [run["id"] for run in page["items"]] == [ids[2], ids[1]]
    rest = await shop.get(f"/v1/scoring/runs?limit=2&cursor={page['next_cursor']}")
    assert ([run["id"] for run in rest["items"]], rest["next_cursor"]) == ([ids[0]], None)


async def test_a_run_that_was_completed_is_not_told_twice(scored: Shop) -> None:
    before = await scored.told()
    async with scored.service.database.transaction() as connection:
        await connection.execute(text("UPDATE jobs SET state = 'queued', ended_at = NULL"))
    assert await scored.work()
    assert await scored.told() == before
