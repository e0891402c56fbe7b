"""`regulars reconcile` on a running shop: it agrees after a life of all kinds of facts, and sees each planted wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from regulars.reconcile.comparing import Difference, Outcome
from regulars.reconcile.run import agrees, look_at_bus, reconcile, text_of
from regulars.reconcile.sources import CannotLook, sources_of
from regulars_kit.values import new_id
from system.shop import Shop, an_open_shop
from system.tills import PROGRAMME

EARN = {"EUR": "1", "GBP": "1"}
TIERS = [{"code": "base", "from": 0}, {"code": "gold", "from": 10, "multiplier": "1.5"}]


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    async with an_open_shop(tmp_path_factory.mktemp("reconcile") / "home") as shop, shop.client() as client:
        answer = await client.put("/v1/programmes/main", json={**PROGRAMME, "earn": EARN, "tiers": TIERS})
        assert answer.status_code in (200, 201), answer.text
        await a_life_of_all_kinds(client)
        yield shop


async def a_life_of_all_kinds(client: httpx.AsyncClient) -> None:
    """Ada reaches gold; her goods come back with, without and beside their receipts. Ben is nobody until he claims."""
    ada, ben = await register(client), await register(client)
    kept, gone, void, _ = [await sell(client, {"id": str(ada)}, paid) for paid in ("EUR", "EUR", "EUR", "GBP")]
    await post(client, f"/v1/purchases/{kept}/returns", {"return_id": str(uuid4()), "lines": [{"line_id": "2"}]})
    await post(client, f"/v1/purchases/{gone}/returns", {"return_id": str(uuid4())})
    await post(client, f"/v1/purchases/{void}/returns", {"return_id": str(uuid4()), "lines": [{"line_id": "1"}]})
    await post(client, f"/v1/purchases/{void}/void", {})
    # Two cups of coffee: one of them was bought here, for another price.
    await post(client, "/v1/returns", a_return_without_receipt(ada, "coffee", "3", 2000))
    await post(client, "/v1/returns", a_return_without_receipt(ben, "umbrella", "1", 1500))
    await post(client, "/v1/redemptions", {"customer": {"id": str(ada)}, "points": 5}, key=str(uuid4()))
    unknown = await sell(client, None)
    await post(client, f"/v1/purchases/{unknown}/returns", {"return_id": str(uuid4()), "lines": [{"line_id": "2"}]})
    await post(client, f"/v1/purchases/{unknown}/claim", {"customer": {"id": str(ben)}})
    await sell(client, None)


async def register(client: httpx.AsyncClient) -> UUID:
    body = {"name": "Ada", "identifiers": [{"kind": "email", "value": f"{uuid4().hex}@example.com"}]}
    return UUID((await post(client, "/v1/customers", body, key=str(uuid4())))["id"])


async def sell(client: httpx.AsyncClient, customer: Mapping[str, str] | None, currency: str = "EUR") -> UUID:
    """A coffee for 12.50 and a cake for 7.49."""
    purchase_id = uuid4()
    receipt = {
        "store": "high-street",
        "till": "1",
        "receipt_no": uuid4().hex,
        "business_date": datetime.now(UTC).date().isoformat(),
        "customer": customer,
        "currency": currency,
        "lines": [
            {"line_id": "1", "sku": "coffee", "quantity": 1, "net_minor": 1250},
            {"line_id": "2", "sku": "cake", "quantity": 1, "net_minor": 749},
        ],
    }
    receipt = {name: value for name, value in receipt.items() if value is not None}
    answer = await client.put(f"/v1/purchases/{purchase_id}", json=receipt)
    assert answer.status_code == 201, answer.text
    return purchase_id


def a_return_without_receipt(customer: UUID, sku: str, quantity: str, net_minor: int) -> dict[str, Any]:
    return {
        "return_id": str(uuid4()),
        "store": "high-street",
        "till": "1",
        "receipt_no": uuid4().hex,
        "business_date": datetime.now(UTC).date().isoformat(),
        "customer": {"id": str(customer)},
        "currency": "EUR",
        "lines": [{"sku": sku, "quantity": quantity, "net_minor": net_minor}],
    }


async def post(client: httpx.AsyncClient, path: str, body: Mapping[str, Any], key: str | None = None) -> Any:
    answer = await client.post(path, json=body, headers={"Idempotency-Key": key} if key else {})
    assert answer.status_code in (200, 201), (path, answer.text)
    return answer.json()


async def looked(shop: Shop, wait_s: float) -> tuple[bool, str]:
    said: list[str] = []
    return await reconcile(sources_of(shop.home), wait_s, said.append), "\n".join(said)


async def test_a_shop_that_has_heard_everything_agrees(shop: Shop) -> None:
    does_agree, said = await looked(shop, 30)
    assert does_agree, said
    table = {line.rsplit(maxsplit=2)[0]: line.split()[-2:] for line in said.splitlines()[1:9]}
    assert table["customer"] == table["scoring"] == table["campaign"] == ["2", "0"]
    assert int(table["feed of loyalty"][0]) >= 14
    assert said.endswith("Everything agrees.")


WRONGS = {
    "a purchase too many in the 360": (
        "customer",
        "UPDATE life_cycles SET purchases = purchases {} 1",
        "customer: ",
        ", purchases: loyalty says ",
    ),
    "money in the 360": (
        "customer",
        "UPDATE life_cycles SET net_minor = jsonb_build_object('EUR', (net_minor ->> 'EUR')::bigint {} 1) || "
        "CASE WHEN net_minor ? 'GBP' THEN jsonb_build_object('GBP', net_minor -> 'GBP') ELSE '{{}}' END",
        "customer: ",
        ", net EUR: loyalty says ",
    ),
    "points in the 360": (
        "customer",
        "UPDATE parts SET figures = figures || jsonb_build_object('spendable', (figures ->> 'spendable')::int {} 1) "
        "WHERE kind = 'balance'",
        "customer: ",
        ", balance main points: loyalty says ",
    ),
    "a day of a customer's ledger": (
        "scoring",
        "UPDATE days SET net_minor = net_minor {} 1",
        "scoring: ",
        ", net of days: loyalty says ",
    ),
    "a purchase too many in the scores": (
        "scoring",
        "UPDATE days SET open_purchases = open_purchases {} 1",
        "scoring: ",
        ", open purchases: loyalty says ",
    ),
    "what the scores are made of": (
        "scoring",
        "UPDATE customers SET total_minor = total_minor {} 1",
        "scoring: ",
        ", net: loyalty says ",
    ),
    "an occasion": (
        "scoring",
        "UPDATE customers SET occasions = occasions {} 1",
        "scoring: ",
        ", occasions: loyalty says ",
    ),
    "a purchase in the segments": (
        "campaign",
        "UPDATE totals SET times = times {} 1 WHERE deed = 'purchases' AND currency = 'EUR'",
        "campaign: ",
        ", purchases: loyalty says ",
    ),
    "a return in the segments": (
        "campaign",
        "UPDATE totals SET net_minor = net_minor {} 1 WHERE deed = 'returns'",
        "campaign: ",
        ", returned EUR: loyalty says ",
    ),
    "points in the segments": (
        "campaign",
        "UPDATE accounts SET points = points {} 1 WHERE points IS NOT NULL",
        "campaign: ",
        ", balance main: loyalty says ",
    ),
}


@pytest.mark.parametrize("wrong", WRONGS)
async def test_a_figure_that_is_wrong_is_seen(shop: Shop, wrong: str) -> None:
    database, statement, *words = WRONGS[wrong]
    await looked(shop, 30)
    await shop.query(database, statement.format("+"))
    does_agree, said = await looked(shop, 0)
    await shop.query(database, statement.format("-"))
    assert not does_agree
    assert any(line.startswith(words[0]) and words[1] in line for line in said.splitlines()), said
    assert (await looked(shop, 0))[0]


GONE = {
    "a tier in the 360": ("customer", "parts", "kind = 'tier'", "tier main: loyalty says gold, customer says nothing"),
    "a customer's days": ("scoring", "days", "true", "net of days: loyalty says"),
    "totals": ("campaign", "totals", "deed = 'returns'", "returns: loyalty says 4, campaign says nothing"),
    "an event": (
        "gateway",
        "events",
        "type = 'loyalty.points_spent.v1'",
        "loyalty.points_spent.v1: the outbox says told, feed of loyalty says nothing",
    ),
    "an outbox's row": (
        "customer",
        "outbox",
        "type = 'customer.registered.v1'",
        "customer.registered.v1: the outbox says nothing, feed of customer says told",
    ),
}


@pytest.mark.parametrize("gone", GONE)
async def test_what_is_missing_is_seen(shop: Shop, gone: str) -> None:
    database, table, which, words = GONE[gone]
    await looked(shop, 30)
    await shop.query(database, f"CREATE TABLE kept_aside AS SELECT * FROM {table} WHERE {which}")
    await shop.query(database, f"DELETE FROM {table} WHERE {which}")
    does_agree, said = await looked(shop, 0)
    await shop.query(database, f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM kept_aside")
    await shop.query(database, "DROP TABLE kept_aside")
    assert not does_agree
    assert words in said, said
    assert (await looked(shop, 0))[0]


async def test_an_event_twice_in_the_feed_or_without_its_number_is_seen(shop: Shop) -> None:
    await looked(shop, 30)
    await shop.query("gateway", "UPDATE events SET sequence = -sequence WHERE sequence = 1")
    twice = (
        "INSERT INTO events (id, type, subject, body, received_at, sequence) SELECT id, type, subject, body, now(), -2"
    )
    await shop.query("gateway", f"{twice} FROM events WHERE sequence = 2")
    _, said = await looked(shop, 0)
    await shop.query("gateway", "DELETE FROM events WHERE sequence = -2")
    await shop.query("gateway", "UPDATE events SET sequence = 1 WHERE sequence = -1")
    assert "says told 2 times" in said


async def test_what_was_not_published_and_not_heard_is_counted(shop: Shop) -> None:
    await looked(shop, 30)
    behind = "UPDATE group_offsets SET next_offset = next_offset - {} WHERE next_offset > 0"
    await shop.query("bus", behind.format(1))
    bus = await look_at_bus(sources_of(shop.home))
    await shop.query("bus", behind.format(-1))
    assert bus.differences > 5
    assert {"regulars-customer", "regulars-scoring", "regulars-campaign"} <= {each.who for each in bus.first}
    assert Difference("regulars-loyalty", "to hear on regulars.customer", "0", "2") in bus.first


async def test_while_events_are_under_way_it_looks_again(shop: Shop) -> None:
    async with shop.client() as client:
        for _ in range(5):
            await sell(client, {"id": str(uuid4())})
    assert (await looked(shop, 30))[0]


def command(*options: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "regulars", "reconcile", *options]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


async def test_its_exit_status_says_how_it_stands(shop: Shop, tmp_path: Path) -> None:
    home = str(shop.home)
    well = command("--home", home)
    assert (well.returncode, well.stderr) == (0, ""), well.stdout + well.stderr
    await shop.query("campaign", "UPDATE accounts SET points = points + 1")
    ill = command("--home", home, "--wait", "0")
    await shop.query("campaign", "UPDATE accounts SET points = points - 1")
    assert (ill.returncode, ill.stderr) == (1, ""), ill.stdout
    none = command("--home", str(tmp_path))
    assert (none.returncode, none.stdout) == (2, "")
    assert none.stderr == f"regulars: {tmp_path} is no home of Regulars: give one with --home.\n"


async def test_a_home_on_which_nothing_runs_is_not_looked_at(tmp_path: Path) -> None:
    for name, text in {"VERSION": "1\n", "run-by": "up\n", "lock": "1\n"}.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(CannotLook, match=r"nothing runs on the home .*: start it with `regulars up --home"):
        sources_of(tmp_path)


def test_the_first_twenty_differences_are_shown_and_all_are_counted() -> None:
    outcome = Outcome("campaign", compared=30)
    for number in range(30):
        outcome.add(Difference(str(new_id()), "purchases", str(number), None))
    said = text_of([outcome])
    assert not agrees([outcome])
    assert len([line for line in said.splitlines() if line.startswith("campaign: ")]) == 20
    assert said.endswith("30 differences; the first 20 are shown.")
