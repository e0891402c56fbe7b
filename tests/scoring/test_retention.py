"""What keeping customers is worth: by the retention that the last run expects of them, and what they bring a year."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from builders import ANNA, BEN
from regulars_contracts.events.scoring import CustomerScored
from scoring.costs_shop import a_costed_sale, a_message, a_programme
from scoring.shop import Shop, a_crowd, a_sale, code_of

RETENTION = "/v1/scoring/retention"
DISCOUNT = 1.01**12 - 1


async def told_by(shop: Shop, query: str = "") -> dict[str, Any]:
    return await shop.get(RETENTION + query)


async def test_a_customer_is_worth_their_margin_for_as_long_as_they_stay(scored: Shop) -> None:
    await scored.hear(a_programme("0.4"), a_message(50))
    told = await told_by(scored)
    pnl = (await scored.get("/v1/scoring/segments/pnl?from=2025-07-01&to=2026-06-30"))["total"]
    (run,) = (await scored.get("/v1/scoring/runs"))["items"]
    everybody = told["everybody"]
    # Everybody of the crowd has bought within the year: what they brought, less the message, by their number.
    m = (pnl["margin_minor"] - 50) / run["customers"] / 100
    r = everybody["retention"]
    assert (everybody["customers"], everybody["margin"]) == (run["customers"], pytest.approx(m))
    assert told["discount_rate"] == pytest.approx(DISCOUNT)
    assert everybody["value"] == pytest.approx(m * r / (1 + DISCOUNT - r))
    risen = m * (r + 0.05) / (1 + DISCOUNT - r - 0.05)
    assert everybody["value_after_rise"] == pytest.approx(risen)
    assert everybody["worth_of_rise"] == pytest.approx(run["customers"] * (risen - everybody["value"]))


async def test_retention_is_the_share_expected_to_buy_within_a_year(scored: Shop) -> None:
    await scored.run(horizon_days=365)
    told = await told_by(scored)
    customers = {UUID(str(event.data["customer_id"])) for event in await scored.told(CustomerScored.type)}
    scores = [await scored.score(customer) for customer in customers]
    stays: dict[str | None, list[float]] = {None: [1 - score["churn_horizon"] for score in scores]}
    for score in scores:
        stays.setdefault(score["rfm_segment"], []).append(1 - score["churn_horizon"])
    found = {each["segment"]: each for each in [told["everybody"], *told["segments"]]}
    assert {name: each["customers"] for name, each in found.items()} == {n: len(each) for n, each in stays.items()}
    for name, each in stays.items():
        assert found[name]["retention"] == pytest.approx(sum(each) / len(each))
    assert told["model"] == scores[0]["model"]


async def test_the_segments_bring_what_their_profit_and_loss_says(scored: Shop) -> None:
    told = await told_by(scored)
    pnl = await scored.get("/v1/scoring/segments/pnl?from=2025-07-01&to=2026-06-30")
    profits = {each["segment"]: each["profit_minor"] for each in pnl["segments"]}
    assert len(told["segments"]) > 3
    for each in told["segments"]:
        assert each["margin_of"] == "own"
        assert each["margin"] * each["customers"] * 100 == pytest.approx(profits[each["segment"]])


async def test_a_higher_rise_is_worth_more_and_stops_at_certainty(scored: Shop) -> None:
    five, ten, all_of_it = [(await told_by(scored, f"?rise_points={up}"))["everybody"] for up in (5, 10, 100)]
    assert 0 < five["worth_of_rise"] < ten["worth_of_rise"] < all_of_it["worth_of_rise"]
    assert all_of_it["value_after_rise"] == pytest.approx(all_of_it["margin"] / DISCOUNT)


async def test_where_nobody_has_bought_for_a_year_the_margin_is_everybodys_or_unknown(scored: Shop) -> None:
    scored.watch.moves_on(days=400)
    await scored.run()
    silent = await told_by(scored)
    assert silent["everybody"]["margin"] is silent["everybody"]["value"] is silent["everybody"]["worth_of_rise"] is None
    await scored.hear(a_costed_sale((9000, 1000), on="2027-08-01"))
    anna = (await scored.score())["rfm_segment"]
    told = {each["segment"]: each for each in (await told_by(scored))["segments"]}
    others = [each for name, each in told.items() if name != anna]
    assert others
    assert {(each["margin_of"], each["margin"]) for each in others} == {("everybody", 80.0)}


async def test_margins_are_by_those_who_bought_in_the_year_until_the_runs_day(scored: Shop) -> None:
    await scored.hear(a_sale(90_000, "2025-03-31", BEN))
    await scored.run(as_of="2026-03-31")
    until = "/v1/scoring/segments/pnl?from=2025-04-01&to=2026-03-31"
    pnl = (await scored.get(until))["total"]
    bought = "open_purchases > 0 AND day BETWEEN '2025-04-01' AND '2026-03-31'"
    ((buyers,),) = await scored.rows(f"SELECT count(DISTINCT customer_id) FROM days WHERE {bought}")
    ((customers,),) = await scored.rows("SELECT count(*) FROM customers WHERE occasions > 0")
    assert 0 < buyers < customers, "some came later"
    assert (await told_by(scored))["everybody"]["margin"] == pytest.approx(pnl["margin_minor"] / buyers / 100)


async def test_what_was_kept_is_told_beside_what_is_expected(shop: Shop) -> None:
    await shop.hear(*a_crowd())
    await shop.run()
    assert (await told_by(shop))["observed"] is None, "half a year of history"
    # From 1 July 2024 to 30 June 2025 both bought, and Anna again in the year until 30 June 2026.
    for customer, days in ((ANNA, ("2024-02-10", "2024-12-01", "2026-01-10")), (BEN, ("2024-07-01", "2025-06-30"))):
        await shop.hear(*(a_sale(1000, day, customer) for day in days))
    await shop.run()
    assert (await told_by(shop))["observed"] == {"customers": 2, "returned": 1, "retention": 0.5}


@pytest.mark.parametrize("rise", ["0", "101", "-5", "five", "5.5"])
async def test_a_rise_that_cannot_be_meant_is_refused(scored: Shop, rise: str) -> None:
    response = await scored.send("GET", f"{RETENTION}?rise_points={rise}")
    assert code_of(response)[0] == 422
    assert response.json()["errors"][0]["parameter"] == "rise_points"


async def test_a_run_of_an_earlier_version_has_not_looked_at_retention(scored: Shop) -> None:
    async with scored.service.database.transaction() as connection:
        await connection.execute(text("UPDATE runs SET report = report - 'retention', model = model - 'everybody'"))
    assert code_of(await scored.send("GET", RETENTION)) == (404, "not_scored_yet")
    await scored.hear(a_sale(1000))
    assert (await scored.score())["net_value"]["shares_of"] == "own_past"


async def test_before_the_first_run_nobody_is_expected_to_stay(untouched: Shop) -> None:
    assert code_of(await untouched.send("GET", RETENTION)) == (404, "not_scored_yet")
    no_scope = await untouched.send("GET", RETENTION, scopes=frozenset({"purchases:write"}))
    assert code_of(no_scope)[0] == 403
