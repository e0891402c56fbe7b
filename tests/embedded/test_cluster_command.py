"""`regulars cluster` before anything is started: one clear line when it cannot, and what it starts when it can."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regulars.__main__ import command
from regulars.distributed.child import Child, Command, keep
from regulars.distributed.control import chosen_of
from regulars.distributed.holding import Holds, hold
from regulars.distributed.plan import plan_of
from regulars.distributed.proxy import filled
from regulars.distributed.run import program
from regulars.distributed.services import Entry, Ground
from regulars.home import Home
from regulars.refusals import CannotStart


def a_ground(folder: Path) -> Ground:
    files = (folder / "p", folder / "s", folder / "a")
    return Ground("postgresql+asyncpg://db/{}".format, "kafka:9092", "00" * 32, *files, "public", folder / "c")


def test_a_missing_program_is_named_with_what_to_install() -> None:
    with pytest.raises(CannotStart, match=r"nginx-for-giants is missing: install it .*apt-get install nginx-light"):
        program("nginx-for-giants", "nginx-light")


@pytest.mark.parametrize(("first", "second"), [("up", "cluster"), ("cluster", "up")])
def test_a_home_stays_with_the_command_that_began_it(tmp_path: Path, first: str, second: str) -> None:
    Home(tmp_path, first).close()
    with pytest.raises(CannotStart, match=f"belongs to `regulars {first}`: .*--home"):
        Home(tmp_path, second)
    Home(tmp_path, first).close()


def test_a_home_of_before_there_was_a_cluster_is_that_of_up(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "VERSION").write_text("1\n")
    with pytest.raises(CannotStart, match="belongs to `regulars up`"):
        Home(tmp_path, "cluster")


def test_a_service_of_the_table_gets_its_processes_its_ports_and_its_settings(tmp_path: Path) -> None:
    plan = plan_of(
        [Entry("loyalty", Ground.identifiers, serves=2), Entry("gateway", Ground.gateway)], a_ground(tmp_path), tmp_path
    )
    commands = [*plan.relays, *plan.consumers, *plan.servers]
    assert [command.name for command in commands] == [
        "loyalty.relay",
        "gateway.relay",
        "loyalty.consume",
        "gateway.consume",
        "loyalty.serve.1",
        "loyalty.serve.2",
        "gateway.serve",
    ]
    ports = [command.ready_at for command in commands]
    assert len({*ports, plan.authorise_port}) == len(commands) + 1
    assert plan.upstreams == {"loyalty": ports[4:6], "gateway": ports[6:]}
    told = commands[4].environment
    assert told["REGULARS_LOYALTY_DATABASE_URL"] == "postgresql+asyncpg://db/regulars_loyalty"
    assert told["REGULARS_LOYALTY_BUS"] == "kafka"
    assert told["REGULARS_LOYALTY_PORT"] == str(ports[4])
    assert f"http://127.0.0.1:{ports[4]}" in commands[6].environment["REGULARS_GATEWAY_SERVICE_URLS"]
    assert not any("PRIVATE" in name for name in told)


def test_a_template_without_one_of_its_values_is_not_written() -> None:
    assert (
        filled("listen ${REGULARS_LISTEN}; return 200 $uri;", {"REGULARS_LISTEN": "8080"})
        == "listen 8080; return 200 $uri;"
    )
    with pytest.raises(KeyError):
        filled("${REGULARS_UNHEARD_OF}", {})


def a_sleeper(folder: Path) -> Child:
    return Child(Command(name="sleeper", arguments=["sleep", "1000"], log_path=folder / "sleeper.log"))


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[tuple[Child, list[str]]]:
    """A process that is kept going, and what was said of it."""
    child, holds, said = a_sleeper(tmp_path), Holds(tmp_path), list[str]()
    tasks = [
        asyncio.create_task(keep(child, holds, lambda: None, said.append)),
        asyncio.create_task(holds.enforce([child])),
    ]
    await until(lambda: child.pid is not None)
    yield child, said
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await child.end()


async def test_a_process_that_is_held_stays_down_until_it_is_let_go(
    kept: tuple[Child, list[str]], tmp_path: Path
) -> None:
    child, said = kept
    first = child.pid
    hold(tmp_path, ["sleeper", "somebody-else"])
    await until(lambda: bool(said))
    assert said == ["sleeper is stopped; `regulars cluster start sleeper` starts it again."]
    assert child.pid is None
    hold(tmp_path, ["somebody-else"])
    await until(lambda: child.pid is not None)
    assert child.pid != first
    assert len(said) == 1


async def test_a_process_that_ended_by_itself_is_held_too(kept: tuple[Child, list[str]], tmp_path: Path) -> None:
    child, said = kept
    hold(tmp_path, ["sleeper"])
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    await until(lambda: "sleeper is stopped" in "".join(said))
    assert child.pid is None


def test_processes_are_named_singly_or_all_of_a_service() -> None:
    there = ["kafka", "loyalty.serve.1", "loyalty.serve.2", "loyalty.relay", "loyal"]
    assert chosen_of(["kafka", "loyalty.serve"], there) == {"kafka", "loyalty.serve.1", "loyalty.serve.2"}
    assert chosen_of(["loyalty"], there) == {"loyalty.serve.1", "loyalty.serve.2", "loyalty.relay"}
    with pytest.raises(
        CannotStart, match=r"there is no process loyalty\.server; there are kafka, loyal, loyalty\.relay"
    ):
        chosen_of(["loyalty.server"], there)


@pytest.mark.parametrize("what", ["stop", "start"])
def test_where_no_cluster_runs_nothing_can_be_stopped(tmp_path: Path, what: str) -> None:
    Home(tmp_path, "cluster").close()
    ended = CliRunner().invoke(command, ["cluster", "--home", str(tmp_path), what, "kafka"])
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr == f"regulars: no cluster runs on the home {tmp_path}: give another with --home.\n"
