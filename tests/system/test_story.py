"""The story of a shop over HTTP, on the embedded run: every part is real, and some of them go away for a while."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from system.books import Verdict, announced, balance_of, judge, ledger_of, read, until_drained
from system.running import until
from system.shop import Shop, an_open_shop
from system.tills import PROGRAMME, Book, Till

UNSENT = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    async with an_open_shop(tmp_path_factory.mktemp("story") / "home") as shop, shop.client() as client:
        await publish(client)
        yield shop


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with shop.client() as client:
        yield client


async def publish(client: httpx.AsyncClient) -> None:
    answer = await client.put("/v1/programmes/main", json=PROGRAMME)
    assert answer.status_code in (200, 201), answer.text


async def register(client: httpx.AsyncClient, *identifiers: Mapping[str, str]) -> UUID:
    body = {"name": "Ada Example", "identifiers": list(identifiers)}
    answer = await client.post("/v1/customers", json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


def a_card() -> str:
    return f"29{uuid4().int % 10**11:011d}"


def a_receipt(customer: Mapping[str, str], **said: Any) -> dict[str, Any]:
    """A coffee for 12.50 EUR and a cake for 7.49 EUR: 19 points."""
    return {
        "store": "high-street",
        "till": "1",
        "receipt_no": uuid4().hex,
        "business_date": datetime.now(UTC).date().isoformat(),
        "customer": customer,
        "currency": "EUR",
        "lines": [
            {"line_id": "1", "sku": "coffee", "quantity": 1, "net_minor": 1250},
            {"line_id": "2", "sku": "cake", "quantity": 1, "net_minor": 749},
        ],
        **said,
    }


async def sell(client: httpx.AsyncClient, receipt: Mapping[str, Any]) -> dict[str, Any]:
    answer = await client.put(f"/v1/purchases/{uuid4()}", json=receipt)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def answers(client: httpx.AsyncClient, path: str) -> bool:
    return (await client.get(path)).status_code == 200


async def test_a_purchase_posted_twice_at_once_under_one_key_earns_once(client: httpx.AsyncClient) -> None:
    card = a_card()
    customer = await register(client, {"kind": "card", "value": card})
    # The till reads the id from the customer's app: a card is known to loyalty as soon as its event has arrived.
    receipt, headers = a_receipt({"id": str(customer)}), {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(*[client.post("/v1/purchases", json=receipt, headers=headers) for _ in range(2)])
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert sorted("idempotent-replayed" in answer.headers for answer in answers) == [False, True]
    assert [entry["points"] for entry in await ledger_of(client, customer)] == [19]
    assert await balance_of(client, customer) == 19


async def test_a_purchase_with_an_unknown_card_earns_when_the_card_is_linked(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    card, yesterday = a_card(), datetime.now(UTC) - timedelta(days=1)
    told = await sell(client, a_receipt({"card": card}, occurred_at=yesterday.isoformat()))
    assert (told["customer_id"], told["earned"], told["balance"]) == (None, 0, None)
    customer = await register(client, {"kind": "card", "value": card})

    async def is_claimed() -> bool:
        purchase = await read(client, f"/v1/purchases/{told['purchase_id']}")
        return bool(purchase["customer_id"] == str(customer))

    await until(is_claimed, "the card's purchase was not claimed")
    assert await balance_of(client, customer) == 19
    [entry] = await ledger_of(client, customer)
    assert datetime.fromisoformat(entry["occurred_at"]) == yesterday
    # From now on the till that reads the card is answered with the points.
    assert (await sell(client, a_receipt({"card": card})))["balance"] == 38


async def test_a_returned_line_takes_back_what_it_earned_and_the_balance_before_is_still_known(
    client: httpx.AsyncClient,
) -> None:
    customer, now = await register(client), datetime.now(UTC)
    sold_at, returned_at = now - timedelta(hours=3), now - timedelta(hours=1)
    told = await sell(client, a_receipt({"id": str(customer)}, occurred_at=sold_at.isoformat()))
    # 19 points over 12.50 and 7.49 EUR: 11 and 7 and the largest remainder, 12.50 x 19 / 19.99 = 11.88, to the first.
    assert [line["points"] for line in told["lines"]] == [12, 7]
    body = {"return_id": str(uuid4()), "lines": [{"line_id": "2"}], "occurred_at": returned_at.isoformat()}
    answer = await client.post(f"/v1/purchases/{told['purchase_id']}/returns", json=body)
    assert (answer.status_code, answer.json()["taken_back"], answer.json()["balance"]) == (201, 7, 12)
    between = (now - timedelta(hours=2)).isoformat()
    assert await balance_of(client, customer, as_of=between) == 19
    assert await balance_of(client, customer, as_of=now.isoformat()) == 12
    assert await balance_of(client, customer) == 12


async def test_what_a_customer_buys_is_seen_from_all_sides_within_seconds(client: httpx.AsyncClient) -> None:
    customer = await register(client)
    for _ in range(2):
        told = await sell(client, a_receipt({"id": str(customer)}))
    body = {"return_id": str(uuid4()), "lines": [{"line_id": "2"}]}
    assert (await client.post(f"/v1/purchases/{told['purchase_id']}/returns", json=body)).status_code == 201

    async def is_seen() -> bool:
        purchases = (await read(client, f"/v1/customers/{customer}/360"))["purchases"]["value"]
        return bool(purchases and (purchases["count"], purchases["net_minor"]) == (2, {"EUR": 2 * 1999 - 749}))

    await until(is_seen, "the picture does not show the purchases")
    picture = await read(client, f"/v1/customers/{customer}/360")
    assert picture["balances"]["value"][0]["spendable"] == await balance_of(client, customer)
    assert (picture["stage"]["value"]["stage"], picture["score"]["reason"]) == ("repeat", "not_scored_yet")
    kinds = [entry["kind"] for entry in (await read(client, f"/v1/customers/{customer}/timeline"))["items"]]
    assert kinds[0] == "purchase_returned"
    # Purchases that are heard in one commit move the customer once, past the stage between.
    assert kinds.count("stage_changed") in (1, 2)
    others = [kind for kind in kinds if kind != "stage_changed"]
    assert sorted(others) == ["purchase_recorded", "purchase_recorded", "purchase_returned", "registered"]


async def test_while_postgresql_is_away_a_till_is_told_when_to_come_again_and_then_served(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    customer, purchase_id = await register(client), uuid4()
    receipt = a_receipt({"id": str(customer)})
    await sell(client, receipt)
    receipt["receipt_no"] = "after the outage"
    statuses: list[int] = []
    os.kill(shop.postmaster(), signal.SIGKILL)
    # Its backends live on for a moment, and may take the purchase before they end.
    while 503 not in statuses or statuses[-1] != 201:
        answer = await client.put(f"/v1/purchases/{purchase_id}", json=receipt)
        statuses.append(answer.status_code)
        if answer.status_code != 201:
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            await asyncio.sleep(int(answer.headers["retry-after"]) / 20)
    # The other service finds its connections dead by its own next request.
    await until(lambda: answers(client, "/v1/customers"), "customer does not answer again")
    assert await balance_of(client, customer) == 38
    assert len(await ledger_of(client, customer)) == 2


async def test_while_the_bus_is_away_purchases_go_on_and_the_outbox_waits(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    customer = await register(client)
    await until_drained(shop)
    await shop.query("postgres", "ALTER DATABASE regulars_bus ALLOW_CONNECTIONS false")
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'regulars_bus'"
    await shop.query("postgres", cut)
    sold = [UUID((await sell(client, a_receipt({"id": str(customer)})))["purchase_id"]) for _ in range(5)]
    assert await balance_of(client, customer) == 95
    assert (await shop.query("loyalty", UNSENT))[0][0] == 5
    await shop.query("postgres", "ALTER DATABASE regulars_bus ALLOW_CONNECTIONS true")
    await until_drained(shop)
    events = [event["data"] for event in await announced(shop) if event["subject"] == str(customer)]
    assert [UUID(said["purchase_id"]) for said in events] == sold


async def test_ctrl_c_under_load_closes_cleanly_and_the_next_start_has_everything(tmp_path: Path) -> None:
    book, stop = Book(), asyncio.Event()
    async with an_open_shop(tmp_path / "home") as shop:
        async with shop.client() as client:
            await publish(client)
            customers = [await register(client) for _ in range(3)]
        async with asyncio.TaskGroup() as group:
            for number in range(4):
                till = Till(f"till-{number}", shop, customers, book, random.Random(number))
                group.create_task(till.work(stop))
            await book.until_answered(100)
            assert await shop.close() == 0, shop.log
            assert shop.is_gone()
            assert "Traceback" not in shop.log
            shop.open()
            await book.until_answered(20)
            stop.set()
        assert await judge(shop, book) == Verdict()
        async with shop.client() as client:
            assert await answers(client, f"/v1/customers/{customers[0]}")
