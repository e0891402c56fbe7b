"""RFM as a shop wants it: its own window, cuts, nesting and names, from the next run on and in live scores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from regulars_contracts.events.scoring import CustomerScored
from regulars_kit.migrations import migrate
from scoring.club import BACK, BOUGHT, CUSTOMERS, FIRST, LAPSED, MONTHLY, REVENUE, a_club, one_of
from scoring.opening import opened
from scoring.shop import TODAY, Shop, a_sale, code_of

if TYPE_CHECKING:
    from regulars.postgres import PostgresServer

PATH = "/v1/scoring/rfm/settings"
OWN_CUTS = {
    "recency_days": [10, 20, 40, 100],
    "frequency": [2, 3, 4, 5],
    "monetary_minor": [1000, 2500, 4000, 6000],
}
WHOLE = [1, 2, 3, 4, 5]
GRID = [
    {"segment": "friends", "recency": [4, 5], "frequency": WHOLE},
    {"segment": "strangers", "recency": [1, 2, 3], "frequency": WHOLE},
]


@pytest.fixture(scope="module")
async def club_database(postgres: PostgresServer) -> str:
    """The name of the club's database before any run, to be copied."""
    name = f"template_of_a_club_{uuid4().hex}"
    url = await postgres.create_database(name)
    await migrate(url, "regulars_scoring")
    async with opened(url) as shop:
        await shop.hear(*a_club())
    return name


@pytest.fixture
async def club(postgres: PostgresServer, club_database: str) -> AsyncIterator[Shop]:
    name = f"test_{uuid4().hex}"
    async with opened(await postgres.create_database(name, template=club_database)) as shop:
        yield shop
    await postgres.drop_database(name)


async def put(shop: Shop, **said: Any) -> dict[str, Any]:
    response = await shop.send("PUT", PATH, said)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def cells(shop: Shop) -> dict[str, tuple[int, int, int]]:
    """The live scores of one customer of each kind: recency, frequency, monetary."""
    found = {}
    for kind in BOUGHT:
        rfm = (await shop.score(one_of(kind)))["rfm"]
        found[kind] = (rfm["recency"], rfm["frequency"], rfm["monetary"])
    return found


def bins(answer: dict[str, Any], axis: str) -> list[int]:
    """Customers with the scores 1, 2, 3, 4, 5."""
    assert [each["score"] for each in answer["bins"][axis]] == WHOLE
    return [each["customers"] for each in answer["bins"][axis]]


async def test_a_shop_that_says_nothing_has_fifths_of_all_history_and_the_usual_names(club: Shop) -> None:
    said = await club.get(PATH)
    assert (said["window_days"], said["nested"]) == (None, False)
    assert said["cuts"] == {"recency_days": None, "frequency": None, "monetary_minor": None}
    assert said["grid"][0] == {"segment": "hibernating", "recency": [1, 2], "frequency": [1, 2]}
    await club.run()
    # Of 50: 10 came 45 days ago, 5/50 are below or equal by half, so score 1; then 15/50: 2; 25/50: 3; and 40/50: 5.
    # 10 came once: 5/50, score 1; 20 twice: 20/50, 3; 20 four times: 40/50, 5. They paid 5, 40, 40 and 60.
    # So 10 are below by half: 5/50, 1; 30 of 40.00: 25/50, 3; 10 of 60.00: 45/50, 5.
    assert await cells(club) == {MONTHLY: (5, 5, 3), LAPSED: (1, 3, 3), FIRST: (3, 1, 1), BACK: (2, 3, 5)}
    found = await club.get("/v1/scoring/rfm")
    assert bins(found, "recency") == [10, 10, 10, 0, 20]
    assert bins(found, "frequency") == [10, 0, 20, 0, 20]
    assert bins(found, "monetary") == [10, 0, 30, 0, 10]
    assert sum(cell["customers"] for cell in found["cells"]) == CUSTOMERS
    assert sum(cell["revenue_minor"] for cell in found["cells"]) == REVENUE


async def test_own_cuts_hold_from_the_next_run_on(club: Shop) -> None:
    await club.run()
    before = await cells(club)
    assert (await put(club, cuts=OWN_CUTS))["cuts"] == OWN_CUTS
    assert (await club.get(PATH))["cuts"] == OWN_CUTS
    assert await cells(club) == before
    await club.run()
    # 10, 15, 20 and 45 days ago; 4, 1, 2 and 2 times; 40, 5, 60 and 40 euros.
    assert await cells(club) == {MONTHLY: (5, 4, 4), FIRST: (4, 1, 1), BACK: (4, 2, 5), LAPSED: (2, 2, 4)}
    assert bins(await club.get("/v1/scoring/rfm"), "recency") == [0, 10, 0, 20, 20]


async def test_a_window_counts_its_last_days_alone(club: Shop) -> None:
    await put(club, cuts=OWN_CUTS, window_days=45)
    await club.run()
    # The window is 17 May to 30 June: the monthly came twice in it, for 20.00. The lapsed last came on 16 May.
    assert await cells(club) == {MONTHLY: (5, 2, 2), FIRST: (4, 1, 1), BACK: (4, 1, 3), LAPSED: (2, 1, 1)}
    found = await club.get("/v1/scoring/rfm")
    assert (found["window_days"], found["nested"]) == (45, False)
    assert bins(found, "frequency") == [30, 20, 0, 0, 0]
    # A day later 16 May is no nearer; a day earlier it was the window's first.
    lapsed = await club.score(one_of(LAPSED), as_of=str(TODAY - timedelta(days=1)))
    assert lapsed["rfm"] == {"recency": 2, "frequency": 1, "monetary": 2}


async def test_a_purchase_between_runs_is_placed_by_the_window(club: Shop) -> None:
    await put(club, cuts=OWN_CUTS, window_days=45)
    await club.run()
    lapsed = one_of(LAPSED)
    await club.hear(a_sale(1500, TODAY, lapsed), a_sale(1500, TODAY - timedelta(days=1), lapsed))
    said = [event.data for event in await club.told(CustomerScored.type) if event.data["customer_id"] == str(lapsed)]
    # Two visits for 30.00 within the window, though four times for 70.00 in all.
    assert said[-1]["rfm"] == (await club.score(lapsed))["rfm"] == {"recency": 5, "frequency": 2, "monetary": 3}


async def test_a_purchase_during_a_run_is_placed_by_the_window(club: Shop) -> None:
    await put(club, cuts=OWN_CUTS, window_days=45)
    await club.run()
    lapsed = one_of(LAPSED)
    await club.hear(a_sale(1500, TODAY, lapsed))
    # The run's draft of them is of the time before, and what was said of the purchase is lost.
    await club.takes_the_last_run_up_again("UPDATE customers SET scored_run = NULL, frequency = 5, monetary = 5")
    assert await club.work()
    (row,) = await club.rows(f"SELECT recency, frequency, monetary FROM customers WHERE id = '{lapsed}'")
    assert tuple(row) == (5, 1, 2)


async def test_nested_scores_are_among_those_alike(club: Shop) -> None:
    await put(club, nested=True)
    await club.run()
    # By recency every kind is alone with its score: half of all equal, 1 + floor(5 x 0.5) = 3 on the other axes.
    assert await cells(club) == {MONTHLY: (5, 3, 3), LAPSED: (1, 3, 3), FIRST: (3, 3, 3), BACK: (2, 3, 3)}
    found = await club.get("/v1/scoring/rfm")
    assert found["nested"] is True
    assert bins(found, "frequency") == [0, 0, CUSTOMERS, 0, 0]


async def test_names_are_the_shops_own(club: Shop) -> None:
    await club.run()
    first = await club.told(CustomerScored.type)
    await put(club, cuts=OWN_CUTS, grid=GRID)
    await club.run()
    assert (await club.score(one_of(MONTHLY)))["rfm_segment"] == "friends"
    assert (await club.score(one_of(LAPSED)))["rfm_segment"] == "strangers"
    found = await club.get("/v1/scoring/rfm")
    assert {each["segment"]: each["customers"] for each in found["segments"]} == {"friends": 40, "strangers": 10}
    said = (await club.told(CustomerScored.type))[len(first) :]
    assert {event.data["rfm_segment"] for event in said} == {"friends", "strangers"}
    history = (await club.get(f"/v1/scores/{one_of(LAPSED)}/history"))["items"]
    assert [entry["rfm_segment"] for entry in history] == ["strangers", "at risk"]


async def test_a_new_name_alone_is_news(club: Shop) -> None:
    await put(club, cuts=OWN_CUTS, grid=GRID)
    await club.run()
    before = await club.told(CustomerScored.type)
    await put(club, cuts=OWN_CUTS, grid=[{**GRID[0], "segment": "regulars"}, GRID[1]])
    run = await club.run()
    said = (await club.told(CustomerScored.type))[len(before) :]
    assert {event.data["rfm_segment"] for event in said} == {"regulars"}
    assert run["published"] == len(said) == 40
    # And told once.
    assert (await club.run())["published"] == 0


async def test_settings_left_out_are_as_by_default(club: Shop) -> None:
    await put(club, window_days=90, nested=True, cuts=OWN_CUTS, grid=GRID)
    assert (await put(club))["window_days"] is None
    assert (await club.get(PATH))["grid"][0]["segment"] == "hibernating"


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"window_days": 0}, "out_of_range", "/window_days"),
        ({"window_days": 36_501}, "out_of_range", "/window_days"),
        ({"window_days": "90"}, "wrong_type", "/window_days"),
        ({"nested": "yes"}, "wrong_type", "/nested"),
        ({"colour": "red"}, "unknown_field", "/colour"),
        ({"cuts": {"recency_days": [1, 2, 3]}}, "too_short", "/cuts/recency_days"),
        ({"cuts": {"recency_days": [1, 2, 3, 4, 5]}}, "too_long", "/cuts/recency_days"),
        ({"cuts": {"recency_days": [1, 2, 3, -4]}}, "out_of_range", "/cuts/recency_days/3"),
        ({"cuts": {"recency_days": [1, 2, 3, 3]}}, "invalid_rfm", "/cuts/recency_days"),
        ({"cuts": {"monetary_minor": [4, 3, 2, 1]}}, "invalid_rfm", "/cuts/monetary_minor"),
        ({"cuts": {"monetary_minor": [1, 2, 3, 10**13]}}, "out_of_range", "/cuts/monetary_minor/3"),
        ({"grid": []}, "too_short", "/grid"),
        ({"grid": [{"segment": "", "recency": WHOLE, "frequency": WHOLE}]}, "too_short", "/grid/0/segment"),
        ({"grid": [{"segment": "x", "recency": [6], "frequency": WHOLE}]}, "out_of_range", "/grid/0/recency/0"),
        ({"grid": [{"segment": "x", "recency": [], "frequency": WHOLE}]}, "too_short", "/grid/0/recency"),
        ({"grid": [{"segment": "x", "recency": WHOLE}]}, "missing_field", "/grid/0/frequency"),
        ({"grid": [{"segment": "x", "recency": [1, 1], "frequency": WHOLE}]}, "invalid_rfm", "/grid/0/recency"),
        ({"grid": GRID[:1]}, "invalid_rfm", "/grid"),
        ({"grid": [*GRID, GRID[0]]}, "invalid_rfm", "/grid"),
        ([], "wrong_type", ""),
    ],
)
async def test_settings_that_cannot_be_meant_are_refused(untouched: Shop, body: Any, code: str, pointer: str) -> None:
    response = await untouched.send("PUT", PATH, body)
    assert code_of(response) == (422, code)
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert await untouched.rows("SELECT * FROM rfm_settings") == []


async def test_who_may_read_may_not_settle(untouched: Shop) -> None:
    reads = frozenset({"scores:read"})
    assert code_of(await untouched.send("PUT", PATH, {}, scopes=reads)) == (403, "scope_missing")
    assert (await untouched.send("GET", PATH, scopes=reads)).status_code == 200
