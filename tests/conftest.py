"""The real things under the tests: one PostgreSQL and one Kafka broker for the whole run, a database per test.

A server that cannot start is a failure that says what to install, never a skip.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import pytest

from regulars.postgres import PostgresServer
from regulars.refusals import CannotStart

if TYPE_CHECKING:
    from regulars.distributed.broker import KafkaBroker

ROOT = Path(__file__).resolve().parent.parent


class FreshDatabase(Protocol):
    """Makes a database of its own for the test and returns its url; dropped when the test ends.

    With `package` (say `regulars_loyalty`) it has that service's tables: migrated once, then copied.
    """

    async def __call__(self, package: str | None = None) -> str: ...


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """The server of the whole run. Not durable: a test of durability starts its own."""
    server = PostgresServer(
        tmp_path_factory.mktemp("postgres") / "data",
        settings={"fsync": "off", "full_page_writes": "off", "max_connections": "400"},
    )
    try:
        server.start()
    except CannotStart as error:
        pytest.fail(str(error))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_templates() -> dict[str, str]:
    """Package -> the name of a database with that service's tables, made when first asked for."""
    return {}


@pytest.fixture
async def fresh_database(postgres: PostgresServer, migrated_templates: dict[str, str]) -> AsyncIterator[FreshDatabase]:
    made: list[str] = []

    async def template_of(package: str) -> str:
        if package not in migrated_templates:
            from regulars_kit.migrations import migrate

            name = f"template_{package}"
            await migrate(await postgres.create_database(name), package)
            migrated_templates[package] = name
        return migrated_templates[package]

    async def make(package: str | None = None) -> str:
        template = await template_of(package) if package else "template1"
        made.append(f"test_{uuid4().hex}")
        return await postgres.create_database(made[-1], template=template)

    yield make
    for name in made:
        await postgres.drop_database(name)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A real broker (KRaft, one node). Its jars are fetched by `make test`, into `.cache/kafka/lib`."""
    from regulars.distributed.broker import KafkaBroker

    java = shutil.which("java")
    lib_dir = Path(os.environ.get("REGULARS_TEST_KAFKA_LIB", ROOT / ".cache" / "kafka" / "lib"))
    if java is None:
        pytest.fail("the Kafka tests need Java 17: apt-get install openjdk-17-jre-headless")
    if not any(lib_dir.glob("*.jar")):
        pytest.fail(f"the Kafka tests need the broker's jars in {lib_dir}: make setup (Maven fetches them)")
    broker = KafkaBroker(java=java, lib_dir=lib_dir, data_dir=tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole shops first: they take the longest, and nobody should wait for the last of them alone.

    `--no-loadscope-reorder` in pyproject.toml keeps it so: by itself xdist begins with the files of the most tests.
    """
    items.sort(key=lambda item: ROOT / "tests" / "system" not in item.path.parents)


_MADE_UP = re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|rk_[0-9a-f]+")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Ids and keys made up for a run stand in no test's name: every worker must know a test by the same one."""
    return _MADE_UP.sub("<made-up>", val) if isinstance(val, str) and _MADE_UP.search(val) else None
