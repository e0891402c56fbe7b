"""Profit and loss of the segments: what stands in it, and that it adds up to the whole."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from builders import ANNA, BEN
from regulars_contracts.events.scoring import CustomerScored
from regulars_scoring.adapters.db.money import SqlMoney
from regulars_scoring.adapters.db.session import Session
from scoring.costs_shop import a_costed_sale, a_message, a_programme, expired, won
from scoring.shop import TODAY, Shop, a_return, code_of
from scoring.test_costs import annas_story
from scoring.test_rfm_settings import GRID
from scoring.test_rfm_settings import PATH as SETTINGS

PNL = "/v1/scoring/segments/pnl"
PLANS = """
    SELECT generic_plans, custom_plans FROM pg_prepared_statements
    WHERE statement LIKE '%date_trunc%' AND statement NOT LIKE '%pg_prepared%'
"""
SUMS = (
    "revenue_minor",
    "margin_minor",
    "line_cost_revenue_minor",
    "margin_rate_revenue_minor",
    "points_cost_minor",
    "campaign_cost_minor",
    "acquisition_cost_minor",
    "profit_minor",
)


def sums(told: dict[str, Any]) -> list[int]:
    return [told[name] for name in SUMS]


def of_segment(told: dict[str, Any], segment: str | None) -> list[int]:
    (found,) = (each for each in told["segments"] if each["segment"] == segment)
    return sums(found)


def less(more: list[int], fewer: list[int]) -> list[int]:
    return [one - other for one, other in zip(more, fewer, strict=True)]


async def test_a_segment_has_what_its_customers_brought_and_cost(scored: Shop) -> None:
    before = await scored.get(PNL)
    await scored.hear(*annas_story())
    after, anna = await scored.get(PNL), await scored.score()
    # Of the crowd nobody has told a cost, and its purchases are now of a programme: its margin falls to 40 %.
    segment = anna["rfm_segment"]
    names = ("revenue_minor", "points_cost_minor", "campaign_cost_minor", "acquisition_cost_minor")
    for name in names:
        place = SUMS.index(name)
        assert less(of_segment(after, segment), of_segment(before, segment))[place] == anna["historic"][name]
    crowd = before["total"]
    assert (crowd["margin_of"], after["total"]["margin_of"]) == ("revenue", "margin_rate")
    assert crowd["margin_minor"] == crowd["revenue_minor"]


async def test_a_month_has_what_was_of_its_days(scored: Shop) -> None:
    await scored.hear(*annas_story(), *(a_costed_sale((9000, 4000), on=f"2026-06-{day}") for day in range(10, 25)))
    anna = (await scored.score())["rfm_segment"]
    with_her = {each["month"]: each for each in (await scored.get(PNL))["months"]}
    await scored.hear(a_costed_sale((1000, 600), on="2026-04-30"), a_costed_sale((300, 100), on="2026-05-01"))
    assert (await scored.score())["rfm_segment"] == anna, "she has not moved"
    months = {each["month"]: each for each in (await scored.get(PNL))["months"]}
    gained = {month: less(of_segment(months[month], anna), of_segment(with_her[month], anna)) for month in months}
    assert {month: each for month, each in gained.items() if any(each)} == {
        "2026-04-01": [1000, 400, 1000, 0, 0, 0, 0, 400],
        "2026-05-01": [300, 200, 300, 0, 0, 0, 0, 200],
    }


async def test_segments_and_months_add_up_to_the_whole_and_the_whole_to_its_customers(scored: Shop) -> None:
    # A rate that leaves a fraction of a cent on nearly every purchase.
    await scored.hear(*annas_story(), a_programme("1/3", "1/7", effective_from="2026-01-01", version=2))
    await scored.hear(a_message(3, customer_id=BEN), won(55, BEN), expired(9, customer_id=BEN))
    told = await scored.get(f"{PNL}?from=2020-01-01&to={TODAY}")
    for part in (told, *told["months"]):
        assert sums(part["total"]) == [sum(column) for column in zip(*map(sums, part["segments"]), strict=True)]
    assert sums(told["total"]) == [sum(each["total"][name] for each in told["months"]) for name in SUMS]
    customers = {UUID(str(event.data["customer_id"])) for event in await scored.told(CustomerScored.type)}
    scores = [(await scored.score(customer))["historic"] for customer in customers | {ANNA}]
    bens = [0, 0, 0, 0, -129, 3, 55, 71]  # nine points of a seventh of a euro each, 128.57 cents, are given back
    assert of_segment(told, None) == bens, "he has bought nothing and has no score"
    assert less(sums(told["total"]), bens) == [sum(each[name] for each in scores) for name in SUMS]


async def test_segments_bear_the_names_that_the_shop_has_given_them(scored: Shop) -> None:
    before = await scored.get(PNL)
    assert (await scored.send("PUT", SETTINGS, {"grid": GRID})).status_code == 200
    await scored.run()
    told, kept = await scored.get(PNL), await scored.get("/v1/scoring/retention")
    assert [each["segment"] for each in told["segments"]] == ["friends", "strangers", None]
    assert sums(told["total"]) == sums(before["total"])
    assert [each["segment"] for each in kept["segments"]] == ["friends", "strangers"]
    assert sum(each["customers"] for each in kept["segments"]) == kept["everybody"]["customers"]
    for each in kept["segments"]:
        assert each["margin"] * each["customers"] * 100 == pytest.approx(of_segment(told, each["segment"])[-1])


async def test_who_gave_everything_back_is_among_those_without_a_score(scored: Shop) -> None:
    sale = a_costed_sale((1000, 600))
    await scored.hear(sale, a_message(5), a_return(1000, sale))
    assert of_segment(await scored.get(PNL), None)[SUMS.index("campaign_cost_minor")] == 5


async def test_unless_said_it_is_of_the_twelve_months_until_today(scored: Shop) -> None:
    told = await scored.get(PNL)
    assert (told["first_day"], told["last_day"], told["currency"]) == ("2025-07-01", "2026-06-30", "EUR")
    told = await scored.get(f"{PNL}?to=2026-01-31")
    assert (told["first_day"], told["last_day"]) == ("2025-02-01", "2026-01-31")


async def test_days_of_which_nothing_is_known_are_nothing(scored: Shop) -> None:
    told = await scored.get(f"{PNL}?from=2019-01-01&to=2019-12-31")
    assert (told["months"], sums(told["total"])) == ([], [0] * len(SUMS))
    assert [each["segment"] for each in told["segments"]][-1] is None


async def test_each_read_is_planned_for_the_tables_as_they_are(scored: Shop) -> None:
    async with scored.service.database.transaction() as connection:
        money = SqlMoney(Session(connection))
        for _ in range(10):
            await money.by_cell("EUR", TODAY, TODAY)
        (plans,) = (await connection.execute(text(PLANS))).all()
    assert tuple(plans) == (0, 10)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=yesterday", "invalid_field"),
        ("to=2026-02-30", "invalid_field"),
        ("from=2026-02-02&to=2026-02-01", "invalid_field"),
        ("from=2016-01-24&to=2026-01-31", "out_of_range"),
        ("to=0001-03-01", "invalid_field"),
    ],
)
async def test_a_period_that_cannot_be_meant_is_refused(scored: Shop, query: str, code: str) -> None:
    response = await scored.send("GET", f"{PNL}?{query}")
    assert code_of(response) == (422, code)
    (error,) = response.json()["errors"]
    assert error["parameter"] in ("from", "to")


async def test_ten_years_are_told_at_most(scored: Shop) -> None:
    told = await scored.get(f"{PNL}?from=2016-01-25&to=2026-01-31")
    assert (told["first_day"], told["last_day"]) == ("2016-01-25", "2026-01-31")


async def test_before_the_first_run_there_are_no_segments(untouched: Shop) -> None:
    assert code_of(await untouched.send("GET", PNL)) == (404, "not_scored_yet")
    no_scope = await untouched.send("GET", PNL, scopes=frozenset({"purchases:write"}))
    assert code_of(no_scope)[0] == 403
