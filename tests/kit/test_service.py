"""A service starts its roles, tells whether it is ready, and ends in good order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from conftest import FreshDatabase
from kit.corner_shop import SOLD, TOPIC, Settings, Till, build, lay_tables
from regulars_kit.auth import HEADER, Principal, Signer, Verifier, new_key_pair
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.db import Database
from regulars_kit.lifecycle import Loop, listen, run_loops
from regulars_kit.roles import Service, run_consume, run_relay, run_serve
from regulars_kit.settings import settings_table
from regulars_kit.values import Unavailable

PRIVATE, PUBLIC_KEY = new_key_pair()
PATIENCE_S = 20.0
"""Never a measure of speed: how long a test waits before it says that something will not come."""

HOST = "127.0.0.1"
Role = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


class Shop:
    """The corner shop, its bus, and a port for each test."""

    def __init__(self, database_url: str) -> None:
        self.bus = MemoryBus()
        settings = Settings(database_url=database_url)
        self.service: Service = build(settings, self.bus, Verifier({"gateway": PUBLIC_KEY}, "corner"))
        self.till: Till = self.service.app.state.till
        with listen(HOST, 0) as taken:
            self.port = int(taken.getsockname()[1])

    def serve(self, stop: asyncio.Event) -> Coroutine[Any, Any, None]:
        return run_serve(self.service, HOST, self.port, stop=stop)

    def consume(self, stop: asyncio.Event) -> Coroutine[Any, Any, None]:
        return run_consume(self.service, self.bus, HOST, self.port, stop=stop)

    def relay(self, stop: asyncio.Event) -> Coroutine[Any, Any, None]:
        return run_relay(self.service, self.bus, HOST, self.port, stop=stop)

    @asynccontextmanager
    async def running(self, role: Role) -> AsyncIterator[asyncio.Event]:
        """Run a role beside the block, from its first answer on, and stop it after."""
        stop = asyncio.Event()
        task = asyncio.create_task(role(stop))
        try:
            await answer(self.port, "/healthz", task)
            yield stop
        finally:
            stop.set()
            await asyncio.wait_for(task, PATIENCE_S)


@pytest.fixture
async def shop(fresh_database: FreshDatabase) -> AsyncIterator[Shop]:
    shop = Shop(await fresh_database())
    await lay_tables(shop.service.database)
    yield shop
    await shop.service.database.close()
    await shop.bus.close()


@asynccontextmanager
async def behind(*loops: Loop) -> AsyncIterator[None]:
    """Run loops behind the block, as a process does, and let them end after it."""
    stop = asyncio.Event()
    running = asyncio.create_task(run_loops(loops, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(running, PATIENCE_S)


async def answer(port: int, path: str, role: asyncio.Task[None] | None = None) -> httpx.Response:
    """The page, as soon as somebody listens; fails when `role` ends before that."""
    async with (
        httpx.AsyncClient(base_url=f"http://{HOST}:{port}", trust_env=False) as client,
        asyncio.timeout(PATIENCE_S),
    ):
        while True:
            try:
                return await client.get(path)
            except httpx.TransportError:
                if role is not None and role.done():
                    role.result()
                await asyncio.sleep(0.01)


async def test_serve_is_ready_while_its_database_answers(shop: Shop) -> None:
    async with shop.running(shop.serve):
        assert (await answer(shop.port, "/readyz")).text == "ready\n"
        metrics = (await answer(shop.port, "/metrics")).text
        assert 'route="/readyz"' in metrics and "regulars_outbox_unsent" in metrics


async def test_what_was_being_answered_at_the_end_is_answered_still(shop: Shop) -> None:
    async with shop.running(shop.serve) as stop, httpx.AsyncClient(trust_env=False) as client:
        sale = asyncio.create_task(client.post(f"http://{HOST}:{shop.port}/v1/slow", timeout=PATIENCE_S))
        await shop.till.asked.wait()
        stop.set()
        while await is_listening(shop.port):
            pass
        shop.till.is_open.set()
        assert (await sale).text == "sold"


async def is_listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True


async def test_a_taken_port_is_an_error_before_anything_starts(shop: Shop) -> None:
    with listen(HOST, shop.port) as taken:
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            await shop.serve(asyncio.Event())


async def test_relay_publishes_what_another_process_sold(shop: Shop) -> None:
    async with shop.running(shop.relay):
        assert (await answer(shop.port, "/readyz")).status_code == 200
        subscription = await shop.bus.subscribe("listener", [TOPIC])
        await shop.till.sell()
        async with asyncio.timeout(PATIENCE_S):
            while not (heard := await subscription.poll(10, 0.1)):
                pass
        assert [received.message.type for received in heard] == [SOLD]
        await subscription.close()


async def test_consume_handles_events_and_runs_schedules(shop: Shop) -> None:
    async with behind(shop.service.relay.run), shop.running(shop.consume):
        await shop.till.sell()
        async with asyncio.timeout(PATIENCE_S):
            await shop.till.heard.wait()
            await shop.till.swept.wait()


async def test_a_worker_is_not_ready_while_the_bus_is_away(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("the bus is away; try again")

    monkeypatch.setattr(shop.bus, "ping", away)
    async with shop.running(shop.relay):
        response = await answer(shop.port, "/readyz")
        assert (response.status_code, response.json()["detail"]) == (503, "the bus is away; try again")


async def test_without_its_database_a_service_is_alive_and_not_ready() -> None:
    shop = Shop("postgresql+asyncpg://nobody@127.0.0.1:1/nowhere")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(shop.service.app), base_url="http://corner") as client:
        assert (await client.get("/healthz")).status_code == 200
        response = await client.get("/readyz")
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    await shop.service.database.close()


async def test_a_loop_that_fails_ends_the_process_and_its_neighbours() -> None:
    ended = asyncio.Event()

    async def fail(stop: asyncio.Event) -> None:
        raise LookupError("a bug")

    async def neighbour(stop: asyncio.Event) -> None:
        try:
            await stop.wait()
        finally:
            ended.set()

    with pytest.raises(ExceptionGroup) as caught:
        await run_loops([fail, neighbour], stop=asyncio.Event())
    assert caught.group_contains(LookupError)
    assert ended.is_set()


async def test_what_does_not_end_in_time_is_cut_short() -> None:
    stop = asyncio.Event()
    stop.set()

    async def stubborn(stop: asyncio.Event) -> None:
        await asyncio.Event().wait()

    with capture_logs() as logged:
        await asyncio.wait_for(run_loops([stubborn], stop=stop, drain_s=0), PATIENCE_S)
    assert [entry["event"] for entry in logged] == ["cut short"]


async def test_a_dead_letter_is_read_and_replayed_over_http(shop: Shop) -> None:
    operator = Principal("console", "anna", frozenset({"dead_letters:read", "dead_letters:write"}))
    headers = {HEADER: Signer(PRIVATE, "gateway").sign(operator, "corner")}
    shop.till.must_fail = True
    transport = httpx.ASGITransport(shop.service.app)
    async with (
        behind(*shop.service.background_loops()),
        httpx.AsyncClient(transport=transport, base_url="http://corner", headers=headers) as client,
    ):
        await shop.till.sell()
        async with asyncio.timeout(PATIENCE_S):
            while not (letters := (await client.get("/v1/dead-letters?service=corner")).json()["items"]):
                pass
        (letter,) = letters
        assert letter["id"].startswith("corner-") and "the shelf is full" in letter["reason"]
        refused = await client.post(f"/v1/dead-letters/{letter['id']}/replay")
        assert (refused.status_code, refused.json()["code"]) == (409, "dead_letter_refused_again")
        shop.till.must_fail = False
        assert (await client.post(f"/v1/dead-letters/{letter['id']}/replay")).json()["replayed_at"]
        assert shop.till.heard.is_set()
        assert (await client.get("/v1/dead-letters")).json() == {"items": [], "next_cursor": None}
        replayed = (await client.get("/v1/dead-letters?waiting=false&limit=1")).json()
        assert [item["id"] for item in replayed["items"]] == [letter["id"]]
        rest = await client.get("/v1/dead-letters", params={"cursor": replayed["next_cursor"], "waiting": False})
        assert rest.json()["items"] == []
        assert (await client.get("/v1/dead-letters?service=other")).json()["items"] == []
        assert (await client.get("/v1/dead-letters?cursor=nonsense")).json()["code"] == "cursor_invalid"
        assert (await client.post("/v1/dead-letters/corner-17/replay")).json()["code"] == "unknown_dead_letter"


async def start_process(role: str, **environment: str) -> asyncio.subprocess.Process:
    settings = {f"REGULARS_CORNER_{name.upper()}": value for name, value in environment.items()}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("corner_shop.py")), role),
        env={**os.environ, **settings},
        stderr=asyncio.subprocess.PIPE,
    )


async def test_a_process_that_is_told_to_stop_ends_with_success(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    url, key = await fresh_database(), tmp_path / "door.pem"
    key.write_text(PUBLIC_KEY)
    database = Database(url, name="test")
    await lay_tables(database)
    await database.close()
    with listen(HOST, 0) as taken:
        port = taken.getsockname()[1]
    process = await start_process("serve", database_url=url, bus_url=url, principal_public_key=str(key), port=str(port))
    try:
        assert (await answer(port, "/readyz")).status_code == 200
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.post(f"http://{HOST}:{port}/v1/sales")).text == "sold"
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, errors.decode()


async def test_settings_that_do_not_fit_are_named_and_never_shown() -> None:
    process = await start_process("serve", port="SECRET", database_pool="0")
    _, errors = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 1
    told = errors.decode().splitlines()
    assert told[0] == "the settings do not fit:"
    assert [line.split(":")[0] for line in told[1:]] == [
        "REGULARS_CORNER_DATABASE_URL",
        "REGULARS_CORNER_DATABASE_POOL",
        "REGULARS_CORNER_PORT",
    ]
    assert "SECRET" not in errors.decode()


def test_every_setting_has_its_line_in_the_documentation() -> None:
    rows = {name: (default, meaning) for name, default, meaning in settings_table(Settings)}
    assert rows["REGULARS_CORNER_DATABASE_URL"][0] == "required"
    assert rows["REGULARS_CORNER_PORT"][0] == "8000"
    assert all(meaning for _, meaning in rows.values())
