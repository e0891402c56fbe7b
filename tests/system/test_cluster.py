"""The shop as separate processes: a small story through nginx, and what happens when its parts are killed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from system.cluster import Cluster, an_open_cluster
from system.running import until
from system.tills import PROGRAMME

UNSENT = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    async with an_open_cluster(tmp_path_factory.mktemp("cluster") / "home") as cluster, cluster.client() as client:
        answer = await client.put("/v1/programmes/main", json=PROGRAMME)
        assert answer.status_code in (200, 201), answer.text
        yield cluster


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    async with cluster.client() as client:
        yield client


async def test_a_card_that_customer_registers_is_known_to_the_till_by_event(client: httpx.AsyncClient) -> None:
    card = f"29{uuid4().int % 10**11:011d}"
    assert (await sell(client, card))["balance"] is None
    await register(client, card)

    async def is_known() -> bool:
        return bool((await sell(client, card))["balance"])

    await until(is_known, "the card is not known to loyalty", within_s=60)


async def test_the_documents_of_all_services_are_one_and_need_no_key(cluster: Cluster) -> None:
    async with httpx.AsyncClient(base_url=cluster.url, trust_env=False) as stranger:
        paths = (await stranger.get("/openapi.json")).json()["paths"]
        assert (await stranger.get("/docs")).status_code == 200
        refused = await stranger.get("/v1/customers")
    assert {"/v1/customers", "/v1/purchases", "/v1/keys"} <= paths.keys()
    assert (refused.status_code, refused.json()["code"]) == (401, "api_key_required")


async def test_each_service_can_open_its_own_database_alone(cluster: Cluster) -> None:
    owners = await cluster.query("postgres", "SELECT datname, datdba::regrole::text AS owner FROM pg_database")
    ours = {row["datname"]: row["owner"] for row in owners if row["datname"].startswith("regulars_")}
    assert ours == {name: name for name in ours}
    reach = "SELECT has_database_privilege('regulars_loyalty', datname, 'CONNECT') AS may FROM pg_database"
    assert {row["may"] for row in await cluster.query("postgres", reach + " WHERE datname = 'regulars_customer'")} == {
        False
    }


# Every other process is killed by the test of the chain.
@pytest.mark.parametrize("name", ["nginx", "loyalty.relay"])
async def test_a_process_that_is_killed_is_started_again_and_the_till_goes_on(
    cluster: Cluster, client: httpx.AsyncClient, name: str
) -> None:
    killed = cluster.processes()[name]
    cluster.kill(name)
    receipt = a_receipt("4000001")
    answer = await asked_until_answered(client, receipt)
    assert answer["earned"] == 0
    await cluster.until_restarted(name, killed)
    assert f"{name} ended (" in cluster.log

    async def has_left_nobody() -> bool:
        # nginx's workers outlive their master, unless somebody ends them.
        with suppress(ProcessLookupError):
            os.killpg(killed or 0, 0)
            return False
        return True

    await until(has_left_nobody, "a killed process left others that go on", within_s=10)

    async def is_drained() -> bool:
        return not (await cluster.query("loyalty", UNSENT))[0][0]

    await until(is_drained, "the outbox does not drain", within_s=60)


async def test_ctrl_c_ends_all_that_was_started_and_a_killed_supervisor_is_in_nobodys_way(tmp_path: Path) -> None:
    async with an_open_cluster(tmp_path / "home") as cluster:
        pids = cluster.pids()
        cluster.kill()
        cluster.open()
        await cluster.until_ready()
        await until_gone(pids)
        pids = cluster.pids()
        assert await cluster.close() == 0, cluster.log
        await until_gone(pids)
        assert "Traceback" not in cluster.log


async def test_a_second_supervisor_on_the_same_home_is_refused(cluster: Cluster) -> None:
    second = Cluster(cluster.home)
    second.open()
    assert await asyncio.to_thread(second.process.wait, 30) == 1
    assert "already runs on the home" in second.log


def is_running(pid: int) -> bool:
    """A process that ended, and that nobody asked how, does not run."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until_gone(pids: list[int]) -> None:
    async def are_gone() -> bool:
        return not any(map(is_running, pids))

    await until(are_gone, "something is left running", within_s=60)


async def register(client: httpx.AsyncClient, card: str) -> None:
    body = {"name": "Ada Example", "identifiers": [{"kind": "card", "value": card}]}
    answer = await client.post("/v1/customers", json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text


def a_receipt(card: str) -> dict[str, object]:
    return {
        "store": "high-street",
        "till": "1",
        "receipt_no": uuid4().hex,
        "business_date": datetime.now(UTC).date().isoformat(),
        "customer": {"card": card},
        "currency": "EUR",
        "lines": [{"line_id": "1", "sku": "coffee", "quantity": 1, "net_minor": 1250}],
    }


async def sell(client: httpx.AsyncClient, card: str) -> dict[str, object]:
    return await asked_until_answered(client, a_receipt(card))


async def asked_until_answered(client: httpx.AsyncClient, receipt: dict[str, object]) -> dict[str, object]:
    """A till's manner: the same purchase again, until it is answered; it is never told anything but to come again."""
    path, answers = f"/v1/purchases/{uuid4()}", []

    async def is_answered() -> bool:
        try:
            answer = await client.put(path, json=receipt)
        except httpx.TransportError:
            return False
        answers.append(answer)
        assert answer.status_code in (201, 502, 503, 504), answer.text
        assert answer.status_code == 201 or answer.headers["retry-after"], answer.text
        return answer.status_code == 201

    await until(is_answered, "the till is not answered", within_s=60)
    told: dict[str, object] = answers[-1].json()
    return told
