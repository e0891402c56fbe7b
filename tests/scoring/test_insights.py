"""What a run finds out about everybody, over HTTP: cohorts, audits, deciles; with the arithmetic."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from regulars_kit.migrations import migrate
from scoring.club import BACK, CUSTOMERS, FIRST, LAPSED, MONTHLY, REVENUE, a_club, one_of
from scoring.opening import opened
from scoring.shop import Shop, code_of

if TYPE_CHECKING:
    from regulars.postgres import PostgresServer


@pytest.fixture(scope="module")
async def club(postgres: PostgresServer) -> AsyncIterator[Shop]:
    """The club after a run, for tests that change nothing."""
    url = await postgres.create_database(f"club_{uuid4().hex}")
    await migrate(url, "regulars_scoring")
    async with opened(url) as shop:
        await shop.hear(*a_club())
        run = await shop.run()
        assert run["state"] == "completed", run
        yield shop


async def test_cohorts_by_month_tell_who_came_back_and_what_they_brought(club: Shop) -> None:
    found = await club.get("/v1/scoring/cohorts")
    assert (found["by"], found["as_of"], found["currency"], found["has_ended"]) == ("month", "2026-06-30", "EUR", True)
    june, march, december = found["items"]
    assert (june["cohort"], june["customers"], june["active"]) == ("2026-06", 10, [10])
    # On 22 March came 20 monthly and 10 lapsed customers; the first again each month, the others on 16 May alone.
    assert (march["cohort"], march["active"]) == ("2026-03", [30, 20, 30, 20])
    assert march["retention"] == pytest.approx([1, 2 / 3, 1, 2 / 3])
    assert march["revenue_minor"] == [20 * 1000 + 10 * 2000, 20 * 1000, 20 * 1000 + 10 * 2000, 20 * 1000]
    assert march["revenue_per_customer_minor"] == pytest.approx([40000 / 30, 20000 / 30, 40000 / 30, 20000 / 30])
    assert (december["cohort"], december["active"]) == ("2025-12", [10, 0, 0, 0, 0, 0, 10])
    assert sum(sum(cohort["revenue_minor"]) for cohort in found["items"]) == REVENUE


@pytest.mark.parametrize(("by", "labels"), [("quarter", ["2026 Q2", "2026 Q1", "2025 Q4"]), ("year", ["2026", "2025"])])
async def test_cohorts_of_longer_periods_hold_the_same_customers(club: Shop, by: str, labels: list[str]) -> None:
    cohorts = (await club.get(f"/v1/scoring/cohorts?by={by}"))["items"]
    assert [cohort["cohort"] for cohort in cohorts] == labels
    assert sum(cohort["customers"] for cohort in cohorts) == CUSTOMERS
    assert sum(sum(cohort["revenue_minor"]) for cohort in cohorts) == REVENUE


async def test_cohorts_come_in_pages(club: Shop) -> None:
    whole = (await club.get("/v1/scoring/cohorts"))["items"]
    page = await club.get("/v1/scoring/cohorts?limit=2")
    rest = await club.get(f"/v1/scoring/cohorts?limit=2&cursor={page['next_cursor']}")
    assert page["items"] + rest["items"] == whole
    assert rest["next_cursor"] is None


async def test_an_audit_says_who_came_stayed_and_went(club: Shop) -> None:
    found = await club.get("/v1/scoring/audit?window_days=30")
    assert (found["as_of"], found["window_days"]) == ("2026-06-30", 30)
    assert found["now"] == {"first": "2026-06-01", "last": "2026-06-30"}
    assert found["before"] == {"first": "2026-05-02", "last": "2026-05-31"}
    # June: 20 monthly were kept, 10 are new, 10 came back after 180 days; the 10 who last came on 16 May are lost.
    assert found["movements_now"] == {"active": 40, "kept": 20, "new": 10, "won_back": 10, "lost": 10, "away": 10}
    # May: the lapsed came back after 55 days, April without them; those of December were away, too.
    assert found["movements_before"] == {"active": 30, "kept": 20, "new": 0, "won_back": 10, "lost": 0, "away": 20}


async def test_each_share_of_an_audit_has_its_interval(club: Shop) -> None:
    lost = (await club.get("/v1/scoring/audit?window_days=30"))["lost"]
    # Wilson for 10 of 30: middle (1/3 + 1.9208/30) / (1 + 3.8415/30), reach 1.96 sqrt(2/9/30 + 3.8415/3600) / 1.128.
    assert lost["now"] == {"count": 10, "of": 30, **approx(share=1 / 3, low=0.1923, high=0.5122)}
    assert lost["before"] == {"count": 0, "of": 20, **approx(share=0, low=0, high=0.1611)}
    # Newcombe: 1/3 - sqrt(0.1410^2 + 0.1611^2) and 1/3 + sqrt(0.1789^2 + 0).
    assert {name: lost[name] for name in ("difference", "low", "high")} == approx(
        difference=1 / 3, low=0.1192, high=0.5122
    )


def approx(**figures: float) -> dict[str, Any]:
    return {name: pytest.approx(figure, abs=1e-4) for name, figure in figures.items()}


async def test_an_audit_says_nothing_of_rhythms_and_best_customers_where_there_are_none(club: Shop) -> None:
    found = await club.get("/v1/scoring/audit?window_days=30")
    # On 31 May the monthly customers had two gaps: too few for a rhythm of their own.
    assert (found["switching_away"]["now"]["of"], found["switching_away"]["difference"]) == (0, None)
    # Until 31 May, 20 had brought 30.00, 10 had brought 40.00 and 10 had brought 30.00: the ten of 40.00 are the first
    # quarter, half of them come to 5 of 40, so that nobody is of the best tenth: ties stay together.
    assert found["best_repurchase"]["now"]["of"] == 0
    assert found["best_repurchase_age_equalised"]["difference"] is None


async def test_migration_has_everybody_at_its_margins(club: Shop) -> None:
    found = await club.get("/v1/scoring/audit?window_days=30")
    segments = {each["segment"]: each["customers"] for each in (await club.get("/v1/scoring/rfm"))["segments"]}
    now: dict[str, int] = dict.fromkeys(segments, 0)
    for each in found["migration"]:
        now[each["now"]] += each["customers"]
    assert now == segments
    assert sum(each["customers"] for each in found["migration"] if each["before"] is None) == 10


async def test_windows_longer_than_the_history_have_nobody_to_compare_with(club: Shop) -> None:
    found = await club.get("/v1/scoring/audit?window_days=365")
    assert found["movements_before"] == {"active": 0, "kept": 0, "new": 0, "won_back": 0, "lost": 0, "away": 0}
    assert (found["lost"]["before"]["share"], found["lost"]["difference"]) == (None, None)
    ((first,),) = await club.rows("SELECT min(day) FROM days")
    assert found["before"]["last"] < found["history_from"] == str(first)


async def test_the_best_fifth_has_its_share_of_the_revenue(club: Shop) -> None:
    found = await club.get("/v1/scoring/deciles")
    assert sum(each["customers"] for each in found["deciles"]) == CUSTOMERS
    assert sum(each["revenue_share"] for each in found["deciles"]) == pytest.approx(1)
    best = [each for each in found["deciles"] if each["decile"] <= 2]
    top = found["top_20_percent"]
    assert top["customers"] == sum(each["customers"] for each in best)
    assert top["customer_share"] == pytest.approx(top["customers"] / CUSTOMERS)
    assert top["revenue_share"] == pytest.approx(sum(each["revenue_minor"] for each in best) / REVENUE)
    assert (found["risks"], found["goods"]) == (None, None)


async def test_deciles_by_risk_are_the_same_customers(club: Shop) -> None:
    found = await club.get("/v1/scoring/deciles?by=risk")
    assert [risk["churn_band"] for risk in found["risks"]] == ["low", "medium", "high"]
    published = await club.rows("SELECT churn_band, decile, total_minor FROM customers")
    for risk in found["risks"]:
        mine = [row for row in published if row.churn_band == risk["churn_band"]]
        assert (risk["customers"], risk["revenue_minor"]) == (len(mine), sum(row.total_minor for row in mine))
        assert risk["revenue_share"] == pytest.approx(risk["revenue_minor"] / REVENUE)
        for each in risk["deciles"]:
            inside = [row.total_minor for row in mine if row.decile == each["decile"]]
            assert (each["customers"], each["revenue_minor"]) == (len(inside), sum(inside))
        assert sum(each["customers"] for each in risk["deciles"]) == risk["customers"]
    assert sum(risk["customers"] for risk in found["risks"]) == CUSTOMERS


async def test_a_live_score_says_whether_its_customer_is_overdue(club: Shop) -> None:
    monthly = (await club.score(one_of(MONTHLY)))["own_cycle"]
    # Gaps of 30, 30 and 30 days; the last visit was 10 days ago.
    assert monthly == {"is_overdue": False, "silence_days": 10, "limit_days": 30, "limit_of": "customer"}
    # From 20 June to 20 July are 30 days.
    for day, is_overdue in (("2026-07-20", False), ("2026-07-21", True)):
        later = (await club.score(one_of(MONTHLY), as_of=day))["own_cycle"]
        assert (later["is_overdue"], later["limit_of"]) == (is_overdue, "customer")


async def test_who_came_rarely_is_held_against_their_segment(club: Shop) -> None:
    lapsed, back, first = [await club.score(one_of(kind)) for kind in (LAPSED, BACK, FIRST)]
    assert [each["rfm_segment"] for each in (lapsed, back, first)] == ["at risk", "at risk", "about to sleep"]
    # Those at risk have 10 gaps of 55 days and 10 of 180: the 18th of 20 is 180.
    assert lapsed["own_cycle"] == {"is_overdue": False, "silence_days": 45, "limit_days": 180, "limit_of": "segment"}
    assert (back["own_cycle"]["silence_days"], back["own_cycle"]["limit_days"]) == (20, 180)
    # Nobody of their segment came twice. Of all, 60 gaps are of 30 days, 10 of 55, 10 of 180: the 72nd of 80 is 180.
    assert first["own_cycle"] == {"is_overdue": False, "silence_days": 15, "limit_days": 180, "limit_of": "everybody"}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/scoring/cohorts?by=week", 422, "invalid_field"),
        ("/v1/scoring/cohorts?limit=0", 422, "out_of_range"),
        ("/v1/scoring/cohorts?cursor=zzz", 400, "cursor_invalid"),
        ("/v1/scoring/cohorts?cursor=WyJ4Il0", 400, "cursor_invalid"),
        ("/v1/scoring/audit?window_days=31", 422, "invalid_field"),
        ("/v1/scoring/audit?window_days=", 422, "invalid_field"),
        ("/v1/scoring/audit?window_days=ninety", 422, "invalid_field"),
        ("/v1/scoring/deciles?by=colour", 422, "invalid_field"),
        ("/v1/scoring/deciles?by=sku", 422, "invalid_field"),
    ],
)
async def test_a_question_that_cannot_be_meant_is_refused(club: Shop, path: str, status: int, code: str) -> None:
    assert code_of(await club.send("GET", path)) == (status, code)


@pytest.mark.parametrize("path", ["/v1/scoring/cohorts", "/v1/scoring/audit"])
async def test_before_the_first_run_there_is_nothing_to_tell(untouched: Shop, path: str) -> None:
    assert code_of(await untouched.send("GET", path)) == (404, "not_scored_yet")


async def test_a_run_of_an_earlier_version_has_found_nothing_out(scored: Shop) -> None:
    async with scored.service.database.transaction() as connection:
        await connection.execute(text("DELETE FROM insights"))
    assert code_of(await scored.send("GET", "/v1/scoring/audit")) == (404, "not_scored_yet")


async def test_insights_are_those_of_the_run_that_serves(scored: Shop) -> None:
    first = await scored.get("/v1/scoring/audit")
    scored.watch.moves_on(days=1)
    run = await scored.run()
    second = await scored.get("/v1/scoring/audit")
    assert (second["run_id"], second["as_of"]) == (run["id"], "2026-07-01")
    assert first["run_id"] != run["id"]
    assert {row.run_id for row in await scored.rows("SELECT DISTINCT run_id::text FROM insights")} == {run["id"]}
