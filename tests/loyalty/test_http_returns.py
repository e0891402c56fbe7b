"""What comes back, over HTTP: returns, voids, returns without a receipt, receipts that find their customer."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from builders import ANNA, BEN
from loyalty.shop import Shop, a_sale, code_of, place_of
from regulars_contracts.events.loyalty import PurchaseClaimed, PurchaseReturned
from regulars_kit.auth import Principal

HAMBURG = Principal("till-9", None, frozenset({"purchases:write"}), frozenset({"hamburg"}))


def a_return(*lines: dict[str, Any], **said: Any) -> dict[str, Any]:
    return {"return_id": str(uuid4()), "lines": list(lines), **said}


def goods(sku: str = "SKU-1", quantity: int | str = 1, net_minor: int = 1000, **said: Any) -> dict[str, Any]:
    """A return slip of Anna's for one article."""
    slip = a_sale(**{"occurred_at": "2026-02-12T12:00:00+01:00", **said})
    return {
        **slip,
        "return_id": str(uuid4()),
        "lines": [{"sku": sku, "quantity": quantity, "net_minor": net_minor}],
    }


async def test_a_returned_line_takes_back_what_it_earned(club: Shop) -> None:
    sold = await club.sell(3000, 7000)
    response = await club.send("POST", f"/v1/purchases/{sold['purchase_id']}/returns", a_return({"line_id": "1"}))
    assert response.status_code == 201
    told = response.json()
    assert told["lines"] == [{"line_id": "1", "points": 30}]
    assert (told["taken_back"], told["restored"], told["balance"]) == (30, 0, 70)


async def test_a_return_sent_twice_happens_once(club: Shop) -> None:
    sold = await club.sell(3000, 7000)
    path, body = f"/v1/purchases/{sold['purchase_id']}/returns", a_return({"line_id": "1"})
    first, again = [await club.send("POST", path, body) for _ in range(2)]
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert code_of(await club.send("POST", path, {**body, "lines": []})) == (409, "idempotency_key_conflict")
    assert await club.balance() == 70


async def test_a_dry_run_changes_nothing(club: Shop) -> None:
    sold = await club.sell(3000, 7000)
    for action, body in (("returns", a_return({"line_id": "1"})), ("void", {})):
        response = await club.send("POST", f"/v1/purchases/{sold['purchase_id']}/{action}?dry_run=true", body)
        assert response.status_code == 200
        assert response.json()["taken_back"] == (30 if action == "returns" else 100)
    assert await club.balance() == 100


async def test_a_void_takes_all_that_is_left_once(club: Shop) -> None:
    sold = await club.sell(3000, 7000)
    path = f"/v1/purchases/{sold['purchase_id']}"
    await club.send("POST", f"{path}/returns", a_return({"line_id": "1"}))
    first, again = [await club.send("POST", f"{path}/void") for _ in range(2)]
    assert (first.status_code, first.json()["taken_back"], first.json()["balance"]) == (201, 70, 0)
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    nothing = await club.send("POST", f"{path}/returns", a_return({"line_id": "2"}))
    assert code_of(nothing) == (409, "nothing_left_to_return")


async def test_a_return_may_be_of_a_part(club: Shop) -> None:
    sale = a_sale(1000)
    sale["lines"][0]["quantity"] = 4
    sold = (await club.put(sale)).json()
    path = f"/v1/purchases/{sold['purchase_id']}/returns"
    by_quantity = await club.send("POST", path, a_return({"line_id": "1", "quantity": 1}))
    by_amount = await club.send("POST", path, a_return({"line_id": "1", "net_minor": 500}))
    assert [by_quantity.json()["taken_back"], by_amount.json()["taken_back"]] == [2, 5]  # floor(10 x 1/4), floor(7.5)-2


@pytest.mark.parametrize(
    ("lines", "status", "code", "place"),
    [
        ([{"line_id": "9"}], 422, "unknown_line", "/lines/0/line_id"),
        ([{"line_id": "1", "quantity": 0}], 422, "negative_line", "/lines/0/quantity"),
        ([{"line_id": "1", "net_minor": -1}], 422, "out_of_range", "/lines/0/net_minor"),
        ([{"line_id": "1"}, {"line_id": "1"}], 422, "invalid_field", "/lines/1/line_id"),
        ([{"line_id": "1", "quantity": 2}], 409, "nothing_left_to_return", "/lines/0"),
        ([{}], 422, "missing_field", "/lines/0/line_id"),
    ],
)
async def test_a_wrong_return_is_refused_whole(
    club: Shop, lines: list[dict[str, Any]], status: int, code: str, place: str
) -> None:
    sold = await club.sell(1000)
    response = await club.send("POST", f"/v1/purchases/{sold['purchase_id']}/returns", a_return(*lines))
    assert code_of(response) == (status, code)
    assert place_of(response) == place
    assert await club.balance() == 10


@pytest.mark.parametrize("action", ["returns", "void", "claim"])
async def test_what_was_never_bought_does_not_come_back(club: Shop, action: str) -> None:
    bodies = {"returns": a_return(), "void": {}, "claim": {"customer": {"id": str(ANNA)}}}
    response = await club.send("POST", f"/v1/purchases/{uuid4()}/{action}", bodies[action])
    assert code_of(response) == (404, "unknown_purchase")


async def test_goods_without_a_receipt_are_matched_to_the_newest_purchase(club: Shop) -> None:
    old = await club.sell(1000, occurred_at="2026-02-10T10:00:00Z")
    new = await club.sell(1000, occurred_at="2026-02-11T10:00:00Z")
    response = await club.send("POST", "/v1/returns", goods(quantity=3))
    assert response.status_code == 201
    told = response.json()
    assert [line["purchase_id"] for line in told["lines"]] == [new["purchase_id"], old["purchase_id"], None]
    assert (told["taken_back"], told["balance"], told["flags"]) == (20, 0, ["unmatched_return"])
    assert [event.type for event in await club.told()][2:] == [
        "loyalty.purchase_returned.v1",
        "loyalty.purchase_returned.v1",
        "loyalty.purchase_returned.v1",
        "loyalty.flag_raised.v1",
    ]


async def test_a_return_slip_has_one_number(club: Shop) -> None:
    await club.sell(1000)
    slip = goods()
    first, again = [await club.send("POST", "/v1/returns", slip) for _ in range(2)]
    assert first.content == again.content
    other = await club.send("POST", "/v1/returns", {**slip, "return_id": str(uuid4())})
    assert other.status_code == 409


async def test_goods_are_taken_back_by_their_own_store(club: Shop) -> None:
    assert code_of(await club.send("POST", "/v1/returns", goods(), principal=HAMBURG)) == (403, "store_not_allowed")


@pytest.mark.parametrize("action", ["returns", "void", "claim"])
async def test_a_till_of_another_store_is_told_nothing_of_a_purchase(club: Shop, action: str) -> None:
    sold = await club.sell(1000)
    path = f"/v1/purchases/{sold['purchase_id']}/{action}"
    # Each is wrong besides, which only a till that may act for the store is told.
    body = {"returns": a_return({"line_id": "9"}), "void": {}, "claim": {"customer": {"card": "77"}}}[action]
    if action == "void":
        await club.send("POST", path)
    response = await club.send("POST", path, body, principal=HAMBURG)
    assert code_of(response) == (403, "store_not_allowed")
    assert await club.balance() == (0 if action == "void" else 10)


@pytest.mark.parametrize("action", ["returns", "void", "claim"])
async def test_a_till_changes_what_its_own_store_sold(club: Shop, action: str) -> None:
    sale = a_sale(1000, store="hamburg")
    if action == "claim":
        del sale["customer"]
    sold = (await club.put(sale, principal=HAMBURG)).json()
    body = {"returns": a_return(), "void": {}, "claim": {"customer": {"id": str(ANNA)}}}[action]
    response = await club.send("POST", f"/v1/purchases/{sold['purchase_id']}/{action}", body, principal=HAMBURG)
    assert response.status_code in {200, 201}, response.text


async def test_goods_may_come_back_to_another_store_if_that_is_the_tills(club: Shop) -> None:
    sold = await club.sell(1000)
    path = f"/v1/purchases/{sold['purchase_id']}/returns"
    elsewhere = await club.send("POST", path, a_return(store="munich"), principal=HAMBURG)
    assert (code_of(elsewhere), place_of(elsewhere)) == ((403, "store_not_allowed"), "/store")
    here = await club.send("POST", path, a_return(store="hamburg"), principal=HAMBURG)
    assert (here.status_code, here.json()["taken_back"]) == (201, 10)
    entries = (await club.send("GET", f"/v1/accounts/{ANNA}/ledger")).json()["items"]
    explained = await club.send("GET", f"/v1/ledger/entries/{entries[-1]['entry_id']}/explain")
    assert explained.json()["because"]["store"] == "hamburg"


async def test_goods_of_nothing_are_no_return(club: Shop) -> None:
    response = await club.send("POST", "/v1/returns", goods(quantity=0))
    assert code_of(response) == (422, "negative_line")
    assert place_of(response) == "/lines/0/quantity"


async def test_a_receipt_finds_its_customer_once(club: Shop) -> None:
    sale = a_sale(1000)
    del sale["customer"]
    path = f"/v1/purchases/{(await club.put(sale)).json()['purchase_id']}/claim"
    response = await club.send("POST", path, {"customer": {"id": str(ANNA)}})
    assert (response.status_code, response.json()["earned"], response.json()["balance"]) == (200, 10, 10)
    assert (await club.send("POST", path, {"customer": {"id": str(ANNA)}})).json()["balance"] == 10
    assert code_of(await club.send("POST", path, {"customer": {"id": str(BEN)}})) == (409, "already_claimed")
    assert code_of(await club.send("POST", path, {"customer": {"card": "77"}})) == (404, "unknown_customer")


async def brought_back(club: Shop) -> list[list[dict[str, Any]]]:
    """The lines of each return that was told, in their order."""
    told: list[Any] = [event.data["lines"] for event in await club.told() if event.type == PurchaseReturned.type]
    return told


async def test_goods_come_back_at_what_they_had_cost_the_shop(club: Shop) -> None:
    sale = a_sale(3000, 7000)
    sale["lines"][0] |= {"quantity": 3, "cost_minor": 1000}
    sold = (await club.put(sale)).json()["purchase_id"]
    for _ in range(3):
        await club.send("POST", f"/v1/purchases/{sold}/returns", a_return({"line_id": "1", "quantity": 1}))
    await club.send("POST", f"/v1/purchases/{sold}/void", {})
    costs = [[(line["line_id"], line["cost_minor"]) for line in lines] for lines in await brought_back(club)]
    # A third of 1000 each, floor(cost x returned so far) - before: 333, 666 - 333, 1000 - 666.
    assert costs == [[("1", 333)], [("1", 333)], [("1", 334)], [("2", None)]]


async def test_goods_without_a_receipt_that_match_a_line_come_back_at_its_cost(club: Shop) -> None:
    sale = a_sale(1000)
    sale["lines"][0] |= {"sku": "SKU-1", "quantity": 2, "cost_minor": 601}
    await club.put(sale)
    await club.send("POST", "/v1/returns", goods(quantity=3, net_minor=1500))
    told = await brought_back(club)
    assert [[(line["net_minor"], line["cost_minor"]) for line in lines] for lines in told] == [
        [(1000, 601)],
        [(500, None)],
    ]


async def test_a_claim_says_what_goes_at_once_for_what_had_come_back(club: Shop) -> None:
    sale = a_sale(3000, 7000)
    del sale["customer"]
    sold = (await club.put(sale)).json()["purchase_id"]
    await club.send("POST", f"/v1/purchases/{sold}/returns", a_return({"line_id": "1"}))
    await club.send("POST", f"/v1/purchases/{sold}/claim", {"customer": {"id": str(ANNA)}})
    (claimed,) = [event.data for event in await club.told() if event.type == PurchaseClaimed.type]
    assert (claimed["earned"], claimed["taken_back"], await club.balance()) == (100, 30, 70)
