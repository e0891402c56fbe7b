"""`kill -9` of the whole tree, again and again under load: what was acknowledged is there, once.

A kill cannot show a missing fsync, and a check-then-insert passes every kill: that one is met by tills that send
their purchase twice at once. `make soak` runs this with 50 kills.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from uuid import uuid4

from system.books import Verdict, judge
from system.shop import Shop, an_open_shop
from system.tills import PROGRAMME, Book, Till

KILLS = int(os.environ.get("REGULARS_TEST_KILLS", "3"))
TILLS = 8
CUSTOMERS = 12
# From a start to the kill: well into the load, and sometimes at its very beginning.
MOST_ANSWERS = 150
LONGEST_JITTER_S = 0.05
# One kill in so many comes while the shop is still opening, so that the recovery is killed too.
OPENING = 5
LONGEST_OPENING_S = 2.0


async def test_killed_under_load_it_loses_nothing_acknowledged_and_counts_nothing_twice(tmp_path: Path) -> None:
    seed = random.randrange(10**9)
    book = Book()
    async with an_open_shop(tmp_path / "home") as shop:
        await publish_the_programme(shop)
        await sell_while_it_is_killed(shop, book, random.Random(seed), KILLS)
        verdict = await judge(shop, book)
    report(book, verdict, seed)
    assert (len(verdict.lost), len(verdict.doubled), verdict.wrong, book.surprises) == (0, 0, [], [])
    assert book.purchases and book.returns and book.redemptions, "there was load of every kind"


async def test_an_answer_before_its_commit_is_on_the_disk_is_seen(tmp_path: Path) -> None:
    book = Book()
    async with an_open_shop(tmp_path / "home") as shop:
        await publish_the_programme(shop)
        await plant_lazy_commits(shop)
        await sell_while_it_is_killed(shop, book, random.Random(1), kills=1)
        verdict = await judge(shop, book)
    assert verdict.lost or book.surprises


async def plant_lazy_commits(shop: Shop) -> None:
    """A role's own setting wins over the one that the product starts its server with.

    For every database: the relay's commits on the bus would write loyalty's to the disk beside their own.
    """
    await shop.query("postgres", "ALTER ROLE postgres SET synchronous_commit = off")
    await shop.query("postgres", "ALTER SYSTEM SET wal_writer_delay = '10s'")
    await shop.query("postgres", "SELECT pg_reload_conf()")
    # The pools' connections still have the old one.
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'regulars%'"
    await shop.query("postgres", cut)


async def publish_the_programme(shop: Shop) -> None:
    async with shop.client() as client:
        answer = await client.put("/v1/programmes/main", json=PROGRAMME)
        assert answer.status_code in (200, 201), answer.text


async def sell_while_it_is_killed(shop: Shop, book: Book, chance: random.Random, kills: int) -> None:
    """Every till is answered at the end, whatever happened in between."""
    customers, stop = [uuid4() for _ in range(CUSTOMERS)], asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number in range(TILLS):
            till = Till(f"till-{number}", shop, customers, book, random.Random(chance.random()))
            group.create_task(till.work(stop))
        for kill in range(1, kills + 1):
            await a_random_instant(book, chance, is_opening=kill % OPENING == 0)
            shop.kill()
            shop.open()
        await book.until_answered(TILLS)
        stop.set()


async def a_random_instant(book: Book, chance: random.Random, *, is_opening: bool) -> None:
    """After some answers since the start, or, while it is opening, without waiting for any."""
    if not is_opening:
        await book.until_answered(chance.randint(1, MOST_ANSWERS))
    await asyncio.sleep(chance.uniform(0, LONGEST_OPENING_S if is_opening else LONGEST_JITTER_S))


def report(book: Book, verdict: Verdict, seed: int) -> None:
    """`make soak` shows it."""
    rows = {
        "kills": KILLS,
        "acknowledged": len(book.purchases) + len(book.returns) + len(book.redemptions),
        "  purchases": len(book.purchases),
        "  returns": len(book.returns),
        "  redemptions": len(book.redemptions),
        "asked again": book.asked_again,
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
        "other findings": len(verdict.wrong) + len(book.surprises),
        "longest outage": f"{book.outage_s:.2f} s",
        "seed": seed,
    }
    print()  # noqa: T201
    for name, value in rows.items():
        print(f"{name:<16}{value:>12}")  # noqa: T201
