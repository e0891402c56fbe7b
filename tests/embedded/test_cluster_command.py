"""`regulars cluster` before anything is started: one clear line when it cannot, and what it starts when it can."""

from __future__ import annotations

from pathlib import Path

import pytest

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
