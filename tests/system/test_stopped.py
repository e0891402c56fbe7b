"""Everything but the door and loyalty's own processes stopped: tills go on; started again, everything catches up."""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from system.cluster import Cluster, an_open_cluster
from system.partner import Partner, a_partner, feed
from system.running import until
from system.tills import PROGRAMME, Book, Till

STAY = ("postgres", "nginx", "gateway.serve.1", "gateway.serve.2", "loyalty.serve.1", "loyalty.serve.2")
TILLS = 4
CUSTOMERS = 30
ANSWERS_BEFORE, ANSWERS_WHILE_STOPPED = 40, 400
CATCHES_UP_WITHIN_S = 180.0
LAG = "regulars_consumer_lag"


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    home = tmp_path_factory.mktemp("stopped") / "home"
    environment = {"REGULARS_GATEWAY_ALLOWED_NETWORKS": "127.0.0.0/8"}
    async with an_open_cluster(home, environment) as cluster:
        yield cluster


async def test_tills_go_on_while_the_rest_is_stopped_and_everything_catches_up(cluster: Cluster) -> None:
    book, stop = Book(), asyncio.Event()
    customers = [uuid4() for _ in range(CUSTOMERS)]
    stopped = [name for name in cluster.processes() if name not in STAY]
    # The partner first: what was said before is told to nobody.
    async with cluster.client() as client, a_partner(client) as partner:
        answer = await client.put("/v1/programmes/main", json=PROGRAMME)
        assert answer.status_code in (200, 201), answer.text
        async with asyncio.TaskGroup() as tills:
            for number in range(TILLS):
                till = Till(f"till-{number}", cluster, customers, book, random.Random(number))
                tills.create_task(till.work(stop))
            await book.until_answered(ANSWERS_BEFORE)
            await cluster.stop(*stopped)
            asked_again, purchases, began = book.asked_again, len(book.purchases), time.monotonic()
            await book.until_answered(ANSWERS_WHILE_STOPPED)
            sold, took_s = len(book.purchases) - purchases, time.monotonic() - began
            assert {name for name, pid in cluster.processes().items() if pid is None} == set(stopped)
            assert book.asked_again == asked_again, "a till was sent away"
            waiting = (await cluster.query("loyalty", "SELECT count(*) FROM outbox WHERE sent_at IS NULL"))[0][0]
            assert waiting >= sold
            stop.set()
        assert book.surprises == []
        # Who asks meanwhile is not told that all is well.
        looked = reconcile(cluster.home, wait_s=0)
        assert (looked.returncode, looked.stdout) == (2, ""), looked.stderr
        assert re.fullmatch(r"regulars: Kafka at 127.0.0.1:\d+ cannot be asked: .*\n", looked.stderr)
        began = time.monotonic()
        await cluster.start(*stopped)
        started_s = time.monotonic() - began
        await until_all_has_been_heard(cluster)
        await until_told_of_all(client, partner, len(book.purchases))
        caught_up_s = time.monotonic() - began - started_s
        assert_all_agrees(cluster.home)
        # What ends in good order has no webhook in the air: nothing is told twice, and nothing under two ids.
        assert set(partner.ids_per_event().values()) == {1}
        assert partner.repeats() == 0
    stopped_for = f"while stopped: {sold} purchases in {took_s:.1f} s, {waiting} events waiting"
    print(f"\n{stopped_for}; started in {started_s:.1f} s, caught up {caught_up_s:.1f} s later")  # noqa: T201


async def until_all_has_been_heard(cluster: Cluster) -> None:
    """Nothing waits in an outbox, and every consumer says on its /metrics that it is behind by nothing."""
    services = [name.partition(".")[0] for name in cluster.processes() if name.endswith(".consume")]
    assert len(services) == 5

    async def is_heard() -> bool:
        for service in services:
            unsent = await cluster.query(service, "SELECT count(*) FROM outbox WHERE sent_at IS NULL")
            if unsent[0][0] or await lag_of(cluster, f"{service}.consume") != 0:
                return False
        return True

    await until(is_heard, "not everything was heard", CATCHES_UP_WITHIN_S)


async def lag_of(cluster: Cluster, name: str) -> float | None:
    """None while it does not say, or not yet of all its topics."""
    try:
        page = await cluster.metrics(name)
    except httpx.TransportError:
        return None
    lags = [
        sample.value
        for family in text_string_to_metric_families(page)
        if family.name == LAG
        for sample in family.samples
    ]
    return sum(lags) if lags else None


async def until_told_of_all(client: httpx.AsyncClient, partner: Partner, purchases: int) -> None:
    """Return when the partner knows what the feed does, and of as many purchases as the tills."""

    async def is_told() -> bool:
        # Signatures are checked last: there are thousands.
        return len(partner.receiver.got) >= len(heard) and partner.events().keys() == heard.keys()

    heard = await feed(client)
    assert sum(event["type"] == "loyalty.purchase_recorded.v1" for event in heard.values()) == purchases
    await until(is_told, "the partner and the feed differ", CATCHES_UP_WITHIN_S)


def reconcile(home: Path, wait_s: float) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "regulars", "reconcile", "--home", str(home), "--wait", str(wait_s)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def assert_all_agrees(home: Path) -> None:
    looked = reconcile(home, wait_s=60)
    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert looked.stdout.splitlines()[1].split() == ["customer", str(CUSTOMERS), "0"]
