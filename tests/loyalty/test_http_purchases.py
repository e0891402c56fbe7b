"""Purchases over HTTP: the till's path and its retries."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from builders import ANNA
from loyalty.shop import Shop, a_sale, code_of, place_of
from regulars_kit.auth import Principal
from regulars_kit.canonical import content_hash as canonical_hash
from regulars_loyalty.adapters.http.receipts import content_hash

TILL = Principal("till-1", None, frozenset({"purchases:write"}))


async def test_a_purchase_is_answered_with_its_points(club: Shop) -> None:
    purchase_id = uuid4()
    response = await club.put(a_sale(333, 333, 334), purchase_id)
    assert response.status_code == 201
    assert response.json() == {
        "purchase_id": str(purchase_id),
        "customer_id": str(ANNA),
        "tier": None,
        "earned": 10,  # 3.33 + 3.33 + 3.34 euros at a point each
        "pending": 0,
        "lines": [
            {"line_id": "1", "points": 3},
            {"line_id": "2", "points": 3},
            {"line_id": "3", "points": 4},  # the largest remainder takes the tenth
        ],
        "balance": 10,
        "duplicate_of": None,
    }
    assert await club.balance() == 10


async def test_a_purchase_is_one_event_of_one_commit(club: Shop) -> None:
    answer = await club.sell(1999)
    (recorded,) = await club.told()
    assert recorded.type == "loyalty.purchase_recorded.v1"
    assert recorded.subject == str(ANNA)
    assert recorded.event().model_dump(mode="json")["purchase_id"] == answer["purchase_id"]
    assert recorded.data["earned"] == 19


async def test_a_retry_gets_the_first_answer(club: Shop) -> None:
    sale, purchase_id = a_sale(), uuid4()
    first, again = await club.put(sale, purchase_id), await club.put(sale, purchase_id)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await club.balance() == 19


async def test_a_retry_is_known_without_a_time_of_its_own(club: Shop) -> None:
    sale, purchase_id = a_sale(), uuid4()
    del sale["occurred_at"]
    answers = [await club.put(sale, purchase_id) for _ in range(2)]
    assert answers[0].content == answers[1].content


async def test_a_retry_may_be_captured_later_and_spelled_in_another_order(club: Shop) -> None:
    sale, purchase_id = a_sale(), uuid4()
    await club.put({**sale, "captured_at": "2026-02-10T12:00:05Z", "sequence_no": 17}, purchase_id)
    again = await club.put({**dict(reversed(sale.items())), "sequence_no": 18}, purchase_id)
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_twenty_twins_are_one_purchase(club: Shop) -> None:
    sale, purchase_id = a_sale(1000), uuid4()
    answers = await asyncio.gather(*(club.put(sale, purchase_id) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert await club.balance() == 10
    other = await club.put({**sale, "lines": [{**sale["lines"][0], "net_minor": 1001}]}, purchase_id)
    assert code_of(other) == (409, "idempotency_key_conflict")
    double = await club.send("POST", "/v1/purchases", sale, key="another")
    assert double.json()["duplicate_of"] == str(purchase_id)
    assert await club.balance() == 10


async def test_a_key_names_a_purchase_that_the_server_names(club: Shop) -> None:
    sale = a_sale()
    first, again = [await club.send("POST", "/v1/purchases", sale, key="k-1") for _ in range(2)]
    assert UUID(first.json()["purchase_id"]).version == 7
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert code_of(await club.send("POST", "/v1/purchases", a_sale(), key="k-1")) == (409, "idempotency_key_conflict")


async def test_a_key_belongs_to_its_client(club: Shop) -> None:
    for client in ("till-1", "till-2"):
        principal = Principal(client, None, frozenset({"purchases:write"}))
        response = await club.send("POST", "/v1/purchases", a_sale(), key="k-1", principal=principal)
        assert "Idempotent-Replayed" not in response.headers
    assert await club.balance() == 38


async def test_without_a_key_the_receipt_number_holds(club: Shop) -> None:
    sale = a_sale()
    first, again = [await club.send("POST", "/v1/purchases", sale) for _ in range(2)]
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_two_sales_never_become_one(club: Shop) -> None:
    sale = a_sale(1000)
    await club.put(sale)
    other = await club.put({**sale, "lines": [{**sale["lines"][0], "net_minor": 1001}]})
    assert code_of(other) == (409, "receipt_number_taken")
    assert place_of(other) == "/receipt_no"


async def test_a_receipt_sent_twice_under_two_names_earns_once(club: Shop) -> None:
    sale, first = a_sale(), uuid4()
    await club.put(sale, first)
    again = await club.put({**sale, "lines": [{**sale["lines"][0], "quantity": "1.000"}]})
    assert again.status_code == 201
    assert again.json()["duplicate_of"] == str(first)
    assert await club.balance() == 19


async def test_an_anonymous_purchase_is_nobodys(club: Shop) -> None:
    sale = a_sale()
    del sale["customer"]
    answer = (await club.put(sale)).json()
    assert (answer["customer_id"], answer["earned"], answer["balance"]) == (None, 0, None)
    (told,) = await club.told()
    assert told.subject == answer["purchase_id"]


async def test_points_pay_for_a_purchase(club: Shop) -> None:
    await club.sell(50000)  # 500 points
    tenders = [{"type": "points", "amount_minor": 300}, {"type": "cash", "amount_minor": 700}]
    answer = (await club.put(a_sale(1000, tenders=tenders))).json()
    assert (answer["earned"], answer["balance"]) == (7, 207)  # 500 - 300 (3.00 euros at a cent) + 7 (for 7.00 euros)


async def test_points_that_are_not_there_pay_for_nothing(club: Shop) -> None:
    await club.sell(1000)
    before = await club.count("purchases")
    response = await club.put(a_sale(1000, tenders=[{"type": "points", "amount_minor": 1000}]))
    assert code_of(response) == (409, "insufficient_points")
    assert await club.count("purchases") == before
    assert await club.balance() == 10


async def test_a_purchase_is_read_back_as_it_was_told(club: Shop) -> None:
    sale = a_sale(1999, 250, channel="store", coupons=["SPRING"], offers=["o-1"])
    sale["lines"][1] |= {"quantity": "0.275", "category": "deli", "discount_minor": 50, "cost_minor": 100}
    purchase_id = (await club.put(sale)).json()["purchase_id"]
    response = await club.send("GET", f"/v1/purchases/{purchase_id}")
    read = response.json()
    assert {name: read[name] for name in ("store", "till", "receipt_no", "business_date", "currency", "channel")} == {
        name: sale[name] for name in ("store", "till", "receipt_no", "business_date", "currency", "channel")
    }
    assert (read["total_minor"], read["earned"], read["coupons"], read["offers"]) == (2249, 22, ["SPRING"], ["o-1"])
    assert read["lines"][1] == {
        **sale["lines"][1],
        "points": 2,
        "returned_quantity": "0",
    }
    tag = {"If-None-Match": response.headers["ETag"]}
    assert (await club.send("GET", f"/v1/purchases/{purchase_id}", headers=tag)).status_code == 304


async def test_a_purchase_may_have_as_many_lines_as_a_receipt_may(club: Shop) -> None:
    answer = await club.sell(*[100] * 2000)
    assert (len(answer["lines"]), answer["earned"]) == (2000, 2000)
    assert code_of(await club.put(a_sale(*[100] * 2001))) == (422, "too_long")


async def test_a_till_posts_for_its_own_stores_alone(club: Shop) -> None:
    own = Principal("till-1", None, frozenset({"purchases:write"}), frozenset({"berlin-mitte"}))
    assert (await club.put(a_sale(), principal=own)).status_code == 201
    other = await club.put(a_sale(store="hamburg"), principal=own)
    assert code_of(other) == (403, "store_not_allowed")
    assert place_of(other) == "/store"


@pytest.mark.parametrize(("method", "path"), [("PUT", f"/v1/purchases/{uuid4()}"), ("POST", "/v1/purchases")])
async def test_a_till_needs_its_scope(club: Shop, method: str, path: str) -> None:
    reader = Principal("till-1", None, frozenset({"purchases:read"}))
    assert code_of(await club.send(method, path, a_sale(), principal=reader)) == (403, "scope_missing")
    bare = await club.client.request(method, path, json=a_sale())
    assert code_of(bare) == (401, "principal_required")


async def test_the_quick_hash_of_a_purchase_is_the_canonical_one() -> None:
    sale: dict[str, Any] = a_sale(1, 2, channel='Löwe "€" \U0001f6d2 \x7f\\')
    assert content_hash({**sale, "captured_at": "2026-02-10T12:00:00Z", "sequence_no": 1}) == canonical_hash(sale)
