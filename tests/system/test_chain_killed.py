"""The chain under load while its processes are killed, one after the other: nothing is lost, nothing is doubled.

`make soak` runs this with a hundred kills of each, on both ways of running.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from system.books import SERVICES, AnyShop, judge, read
from system.cluster import Cluster, an_open_cluster
from system.marketing import launch, register
from system.partner import Partner, a_partner, feed
from system.running import until
from system.shop import Shop, an_open_shop
from system.tills import PROGRAMME, Book, Till

KILLS = int(os.environ.get("REGULARS_TEST_KILLS", "3"))
TILLS = 4
CUSTOMERS = 12
MOST_ANSWERS = 30
LONGEST_JITTER_S = 0.05
# A delivery that was in flight at a kill is taken up again once its lease has run out.
QUICK = {"REGULARS_GATEWAY_ALLOWED_NETWORKS": "127.0.0.0/8", "REGULARS_GATEWAY_DELIVERY_TIMEOUT_S": "2"}
BUYERS: Mapping[str, Any] = {"all": [{"consent": "marketing/email"}, {"purchases": {"count": True}, "gte": 1}]}


@dataclass(slots=True)
class Chain:
    """A shop with a campaign for everybody's first purchase, and a partner who hears all of it."""

    shop: AnyShop
    partner: Partner
    messages: Path
    customers: Sequence[UUID]
    book: Book = field(default_factory=Book)
    kills: Counter[str] = field(default_factory=Counter)
    outages_s: dict[str, float] = field(default_factory=dict)


@asynccontextmanager
async def a_chain(shop: AnyShop, messages: Path) -> AsyncIterator[Chain]:
    async with shop.client() as client, a_partner(client) as partner:
        answer = await client.put("/v1/programmes/main", json=PROGRAMME)
        assert answer.status_code in (200, 201), answer.text
        await launch(client, BUYERS)
        customers = [await register(client, f"customer-{number}") for number in range(CUSTOMERS)]
        yield Chain(shop, partner, messages, customers)


async def test_embedded_killed_as_a_whole_and_without_its_database(tmp_path: Path) -> None:
    environment = QUICK | {"REGULARS_MESSAGES": str(tmp_path / "messages")}
    async with an_open_shop(tmp_path / "home", environment) as shop, a_chain(shop, tmp_path / "messages") as chain:

        async def kill(name: str) -> None:
            if name == "postgres":
                os.kill(shop.postmaster(), signal.SIGKILL)
            elif name == "behind":
                os.kill(await shop.behind(), signal.SIGKILL)
            else:
                shop.kill()
                shop.open()

        await sell_while_killed(chain, ["regulars", "behind", "postgres"], kill)
        await check(chain)


async def test_each_process_of_the_cluster_killed_in_turn(tmp_path: Path) -> None:
    environment = QUICK | {"REGULARS_MESSAGES": str(tmp_path / "messages")}
    async with (
        an_open_cluster(tmp_path / "home", environment) as cluster,
        a_chain(cluster, tmp_path / "messages") as chain,
    ):
        await sell_while_killed(chain, sorted(cluster.processes()), cluster.kill_surely)
        await check(chain)


async def sell_while_killed(chain: Chain, names: Sequence[str], kill: Any) -> None:
    """Each of the names is killed `KILLS` times at random instants; at the end every till has its answer."""
    seed = random.randrange(10**9)
    chance, stop = random.Random(seed), asyncio.Event()
    print(f"\nseed {seed}")  # noqa: T201
    async with asyncio.TaskGroup() as group:
        for number in range(TILLS):
            till = Till(f"till-{number}", chain.shop, chain.customers, chain.book, random.Random(chance.random()))
            group.create_task(till.work(stop))
        for _ in range(KILLS):
            for name in chance.sample(names, len(names)):
                await chain.book.until_answered(chance.randint(1, MOST_ANSWERS))
                await asyncio.sleep(chance.uniform(0, LONGEST_JITTER_S))
                chain.book.outage_s = 0.0
                await kill(name)
                await chain.book.until_answered(2 * TILLS)
                chain.kills[name] += 1
                chain.outages_s[name] = max(chain.book.outage_s, chain.outages_s.get(name, 0.0))
        stop.set()


async def check(chain: Chain) -> None:
    """Purchases, ledgers, balances, outboxes, projections, messages and the partner's log agree."""
    await until_ready(chain.shop)
    # One that was claimed at a kill is written once its lease has run out.
    await until(lambda: all_letters_are_sent(chain), "a letter is not written", 180)
    async with chain.shop.client() as client:
        verdict = await judge(chain.shop, chain.book, heard=lambda: heard_by_all(client, chain))
        report(chain, len(verdict.lost), len(verdict.doubled))
        assert (len(verdict.lost), len(verdict.doubled), verdict.wrong, chain.book.surprises) == (0, 0, [], [])
        assert chain.book.purchases and chain.book.returns and chain.book.redemptions, "there was load of every kind"
        await check_pictures(client, chain)
        await check_messages(client, chain)
    assert set(chain.partner.ids_per_event().values()) == {1}


async def until_ready(shop: Shop | Cluster) -> None:
    await shop.until_ready()
    if isinstance(shop, Cluster):
        await until(lambda: all_run(shop), "a process is not started again", 60)


async def all_run(cluster: Cluster) -> bool:
    return None not in cluster.processes().values()


async def all_letters_are_sent(chain: Chain) -> bool:
    buyers = {told.customer for told in chain.book.purchases.values()}
    rows = await chain.shop.query("campaign", "SELECT count(*) FROM messages WHERE state = 'sent'")
    return bool(rows[0][0] >= len(buyers))


async def heard_by_all(client: httpx.AsyncClient, chain: Chain) -> Sequence[Mapping[str, Any]]:
    """The feed's events, once they are those of all outboxes and the partner has heard as many."""

    async def is_level() -> bool:
        counts = [await chain.shop.query(name, "SELECT count(*) FROM outbox") for name in SERVICES]
        heard = (await feed(client)).keys()
        return len(heard) == sum(rows[0][0] for rows in counts) and heard == chain.partner.events().keys()

    await until(is_level, "the outboxes, the feed and the partner differ", 180)
    return list((await feed(client)).values())


async def check_pictures(client: httpx.AsyncClient, chain: Chain) -> None:
    """Each customer's 360 has their purchases and their balance, once customer's consumer has heard of them."""
    sold = Counter(told.customer for told in chain.book.purchases.values())
    for customer, purchases in sold.items():
        told = (purchases, chain.book.balance_of(customer))

        async def is_told(customer: UUID = customer, told: tuple[int, int] = told) -> bool:
            return picture_of(await read(client, f"/v1/customers/{customer}/360")) == told

        await until(is_told, f"the picture of {customer} is not {told}")


def picture_of(read: Mapping[str, Any]) -> tuple[int, int]:
    """Purchases and points of a customer's 360; (0, 0) where it knows of neither."""
    purchases, balances = read["purchases"]["value"], read["balances"]["value"]
    points = sum(balance["spendable"] - balance["debt"] for balance in balances or [])
    return (purchases["count"] if purchases else 0, points)


async def check_messages(client: httpx.AsyncClient, chain: Chain) -> None:
    """Whoever bought got one letter: one file, one row, one event."""
    buyers = {told.customer for told in chain.book.purchases.values()}
    sent = (await read(client, "/v1/messages", {"limit": "200"}))["items"]
    assert Counter(message["customer_id"] for message in sent) == Counter(str(buyer) for buyer in buyers)
    assert {message["state"] for message in sent} == {"sent"}
    assert {path.stem for path in chain.messages.iterdir()} == {message["id"] for message in sent}
    assert {len(chain.partner.of("campaign.message_sent.v1", buyer)) for buyer in buyers} == {1}


def report(chain: Chain, lost: int, doubled: int) -> None:
    """`make soak` shows it."""
    book = chain.book
    acknowledged = len(book.purchases) + len(book.returns) + len(book.redemptions)
    print(f"{'process':<20}{'kills':>6}{'longest outage':>16}")  # noqa: T201
    for name, kills in sorted(chain.kills.items()):
        print(f"{name:<20}{kills:>6}{chain.outages_s[name]:>14.2f} s")  # noqa: T201
    events = len(chain.partner.events())
    print(f"acknowledged {acknowledged}, lost {lost}, doubled {doubled}, asked again {book.asked_again}")  # noqa: T201
    print(f"events at the partner {events}, repeated webhooks {chain.partner.repeats()}")  # noqa: T201
