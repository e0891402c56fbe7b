"""What the tenths of the customers buy: a shop whose best come for tea, with the arithmetic."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from builders import ANNA, BEN
from regulars_contracts.events import Event
from regulars_kit.migrations import migrate
from regulars_scoring.domain.decile_goods import MOST_LISTED
from scoring.opening import opened
from scoring.shop import TODAY, Shop, a_merge, code_of
from scoring.tea_shop import CATEGORIES, a_receipt, goods_back, hear_all

if TYPE_CHECKING:
    from regulars.postgres import PostgresServer

Bought = Mapping[UUID, Mapping[str, int]]
"""What each customer paid for each product in cents."""

BULK = {f"BOX-{number:03}": 10 for number in range(MOST_LISTED + 20)}


def a_year(customers: int = 40, seed: int = 5) -> list[Event]:
    """Everybody has bread; the more often somebody comes, the more tea they buy."""
    chance = random.Random(seed)
    events: list[Event] = []
    for number in range(customers):
        customer = UUID(int=5000 + number)
        for visit in range(1 + number // 5):
            goods = {"BREAD": 250, "TEA": 100 * number, "POST": 500} if visit % 2 else {"BREAD": 250}
            events.append(a_receipt(goods, TODAY - timedelta(days=3 + 20 * visit + chance.randint(0, 5)), customer))
    return events


@pytest.fixture(scope="module")
async def teas(postgres: PostgresServer) -> AsyncIterator[Shop]:
    """The shop after a run, for tests that change nothing."""
    url = await postgres.create_database(f"teas_{uuid4().hex}")
    await migrate(url, "regulars_scoring")
    back = a_receipt("CUP CAKE", "2026-06-01", ANNA)
    others = [
        a_receipt("TEA"),  # nobody's
        a_receipt("POT", TODAY - timedelta(days=365), ANNA),  # the day before the year
        a_receipt("POT", TODAY - timedelta(days=364), ANNA),
        back,
        goods_back(back, "CUP"),
        a_receipt(BULK, "2026-06-02", BEN),
        a_receipt({"TEA": 900}, "2026-06-03", BEN, currency="CHF"),
        a_receipt("CAKE", "2026-06-04", UUID(int=1)),
        a_merge(UUID(int=1), ANNA),
    ]
    async with opened(url) as shop:
        await hear_all(shop, [*a_year(), *others])
        assert (await shop.run())["state"] == "completed"
        yield shop


def expected() -> Bought:
    paid: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for event in a_year():
        for line in event.lines:  # type: ignore[attr-defined]
            paid[event.customer_id][line.sku] += line.net_minor  # type: ignore[attr-defined]
    paid[ANNA] = {"POT": 2500, "CAKE": 800}
    paid[BEN] = {**BULK, "TEA": 0}
    for mine in paid.values():
        mine.pop("POST", None)
    return paid


async def deciles_of(shop: Shop) -> Mapping[UUID, int]:
    return {row.id: row.decile for row in await shop.rows("SELECT id, decile FROM customers WHERE occasions > 0")}


def row_of(rows: Sequence[dict[str, Any]], **named: str | None) -> dict[str, Any]:
    (row,) = [row for row in rows if all(row[name] == value for name, value in named.items())]
    return row


async def test_each_product_says_who_buys_it_and_what_they_pay(teas: Shop) -> None:
    goods, deciles, paid = (
        (await teas.get("/v1/scoring/deciles?by=product"))["goods"],
        await deciles_of(teas),
        expected(),
    )
    whole = sum(sum(mine.values()) for mine in paid.values())
    assert (goods["since"], goods["as_of"]) == ("2025-07-01", "2026-06-30")
    assert (goods["revenue_minor"], goods["product_count"]) == (whole, 4 + len(BULK))
    for sku in ("TEA", "BREAD", "POT", "CAKE"):
        row = row_of(goods["products"], sku=sku)
        buyers = {customer: mine[sku] for customer, mine in paid.items() if sku in mine}
        assert (row["customers"], row["revenue_minor"]) == (len(buyers), sum(buyers.values()))
        assert row["revenue_share"] == pytest.approx(row["revenue_minor"] / whole)
        assert row["category"] == CATEGORIES.get(sku)
        for tenth in row["deciles"]:
            inside = [customer for customer, decile in deciles.items() if decile == tenth["decile"]]
            mine = [buyers[customer] for customer in inside if customer in buyers]
            assert (tenth["customers"], tenth["revenue_minor"]) == (len(mine), sum(mine))
            assert tenth["reach"] == pytest.approx(len(mine) / len(inside))
        best = sum(tenth["revenue_minor"] for tenth in row["deciles"] if tenth["decile"] <= 2)
        assert row["top_20_percent_share"] == pytest.approx(best / row["revenue_minor"])


async def test_the_best_come_for_tea(teas: Shop) -> None:
    products = (await teas.get("/v1/scoring/deciles?by=product"))["goods"]["products"]
    shares = {sku: row_of(products, sku=sku)["top_20_percent_share"] for sku in ("TEA", "BREAD")}
    assert shares["TEA"] > shares["BREAD"] > 0.2


async def test_categories_count_each_buyer_once(teas: Shop) -> None:
    categories = (await teas.get("/v1/scoring/deciles?by=product"))["goods"]["categories"]
    assert [row["category"] for row in categories] == ["drinks", None, "china"]
    uncategorised = row_of(categories, category=None)
    assert uncategorised["customers"] == len(expected())  # bread, cake, boxes: everybody has one of them
    assert sum(row["revenue_share"] for row in categories) == pytest.approx(1)


async def test_products_of_the_least_revenue_are_not_listed(teas: Shop) -> None:
    goods = (await teas.get("/v1/scoring/deciles?by=product"))["goods"]
    revenues = [row["revenue_minor"] for row in goods["products"]]
    assert len(revenues) == MOST_LISTED < goods["product_count"]
    assert revenues == sorted(revenues, reverse=True)


async def test_a_run_of_an_earlier_version_has_not_counted_them(scored: Shop) -> None:
    async with scored.service.database.transaction() as connection:
        await connection.execute(text("DELETE FROM insights WHERE name = 'deciles/goods'"))
    assert code_of(await scored.send("GET", "/v1/scoring/deciles?by=product")) == (404, "not_scored_yet")
    await scored.run()
    (product,) = (await scored.get("/v1/scoring/deciles?by=product"))["goods"]["products"]
    assert (product["sku"], product["reach"], product["revenue_share"]) == ("SHOE-42", 1, 1)
