"""`kill -9` of the whole tree, again and again under load: what was acknowledged is there, once.

A kill cannot show a missing fsync, and a check-then-insert passes every kill: that one is met by tills that send
their purchase twice at once. `make soak` runs this with 50 kills.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

from system.books import Verdict, judge
from system.shop import Shop, an_open_shop
from system.tills import PROGRAMME, Book, Till

KILLS = int(os.environ.get("REGULARS_TEST_KILLS", "3"))
TILLS = 8
CUSTOMERS = 12
# From the first answer after a start to the kill: well into the load, and sometimes at its very beginning.
LONGEST_RUN_S = 1.5


async def test_killed_under_load_it_loses_nothing_acknowledged_and_counts_nothing_twice(tmp_path: Path) -> None:
    seed = random.randrange(10**9)
    customers, book = [uuid4() for _ in range(CUSTOMERS)], Book()
    async with an_open_shop(tmp_path / "home") as shop:
        await publish_the_programme(shop)
        await sell_while_it_is_killed(shop, customers, book, random.Random(seed))
        verdict = await judge(shop, book)
    report(book, verdict, seed)
    assert (len(verdict.lost), len(verdict.doubled), verdict.wrong) == (0, 0, [])
    assert book.purchases and book.returns and book.redemptions, "there was load of every kind"


async def publish_the_programme(shop: Shop) -> None:
    async with shop.client() as client:
        answer = await client.put("/v1/programmes/main", json=PROGRAMME)
        assert answer.status_code in (200, 201), answer.text


async def sell_while_it_is_killed(shop: Shop, customers: Sequence[UUID], book: Book, chance: random.Random) -> None:
    """Every till is answered at the end, whatever happened in between."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number in range(TILLS):
            till = Till(f"till-{number}", shop, customers, book, random.Random(chance.random()))
            group.create_task(till.work(stop))
        for _ in range(KILLS):
            await book.answered.wait()
            await asyncio.sleep(chance.uniform(0, LONGEST_RUN_S))
            shop.kill()
            book.answered.clear()
            shop.open()
        await book.answered.wait()
        stop.set()


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
        "other findings": len(verdict.wrong),
        "longest outage": f"{book.outage_s:.2f} s",
        "seed": seed,
    }
    print()  # noqa: T201
    for name, value in rows.items():
        print(f"{name:<16}{value:>12}")  # noqa: T201
