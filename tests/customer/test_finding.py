"""Customers are found by an identifier, and listed page by page."""

from __future__ import annotations

from typing import Any

import pytest

from customer.shop import Shop, an_external_id, ann, code_of


async def found(shop: Shop, **identifier: Any) -> list[str]:
    response = await shop.send("POST", "/v1/customers:search", {"identifier": identifier})
    assert response.status_code == 200, response.text
    return [customer["id"] for customer in response.json()["items"]]


async def pages(shop: Shop, query: str) -> list[list[str]]:
    """The ids of every page, following the cursors."""
    read: list[list[str]] = []
    cursor = ""
    while cursor is not None:
        response = await shop.send("GET", f"/v1/customers?{query}{f'&cursor={cursor}' if cursor else ''}")
        assert response.status_code == 200, response.text
        read.append([customer["id"] for customer in response.json()["items"]])
        cursor = response.json()["next_cursor"]
    return read


@pytest.mark.parametrize(
    "identifier",
    [
        {"kind": "email", "value": "ANN@Example.com"},
        {"kind": "phone", "value": "01904 551550"},
        {"kind": "phone", "value": "+441904551550"},
        {"kind": "card", "value": "2900000001"},
        {"kind": "external", "source": "erp", "value": "A-17"},
    ],
)
async def test_a_customer_is_found_by_any_identifier_in_any_spelling(shop: Shop, identifier: dict[str, str]) -> None:
    await shop.register(name="Ben", identifiers=[an_external_id("B-1")])
    customer_id = await shop.register(**ann())
    assert await found(shop, **identifier) == [customer_id]


async def test_nobody_is_found_by_what_nobody_holds(shop: Shop) -> None:
    await shop.register(**ann())
    assert await found(shop, kind="email", value="ben@example.com") == []
    assert await found(shop, kind="card", value="A-17") == []
    assert await found(shop, kind="external", source="web", value="A-17") == []


async def test_customers_are_listed_in_the_order_they_came_each_once(shop: Shop) -> None:
    ids = [await shop.register(name=f"Customer {number}") for number in range(7)]
    assert await pages(shop, "limit=3") == [ids[:3], ids[3:6], ids[6:]]
    assert await pages(shop, "limit=7") == [ids]


async def test_a_tag_keeps_those_who_bear_it(shop: Shop) -> None:
    ids = [await shop.register(tags=["even" if number % 2 == 0 else "odd", "all"]) for number in range(6)]
    assert await pages(shop, "tag=even&limit=2") == [ids[0:4:2], ids[4:5]]
    assert await pages(shop, "tag=all") == [ids]
    assert await pages(shop, "tag=none") == [[]]


async def test_a_list_of_nobody_is_one_empty_page(shop: Shop) -> None:
    assert await pages(shop, "limit=1") == [[]]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=0", 422, "out_of_range"),
        ("limit=201", 422, "out_of_range"),
        ("limit=ten", 422, "invalid_field"),
        ("cursor=nonsense!", 400, "cursor_invalid"),
        ("cursor=WyJ4Il0", 400, "cursor_invalid"),  # ["x"], which is no id
        ("tag=", 422, "too_short"),
        ("tag=a%00b", 422, "invalid_character"),
    ],
)
async def test_a_list_that_cannot_be_is_refused(shop: Shop, query: str, status: int, code: str) -> None:
    assert code_of(await shop.send("GET", f"/v1/customers?{query}")) == (status, code)
