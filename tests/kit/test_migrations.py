from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from regulars_kit.bus.connections import connect
from regulars_kit.migrations import ensure_database, migrate, versions_of
from regulars_kit.values import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import FreshDatabase
    from regulars.postgres import PostgresServer

FIRST = """
from alembic import op
revision, down_revision = "0001", None
def upgrade() -> None:
    op.execute("CREATE TABLE till (id integer PRIMARY KEY)")
    op.execute("SELECT pg_sleep(0.1)")
"""
SECOND = """
from alembic import op
revision, down_revision = "0002", "0001"
def upgrade() -> None:
    op.execute("ALTER TABLE till ADD COLUMN store text")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY till_by_store ON till (store)")
"""


@pytest.fixture
def package(tmp_path: Path) -> Iterator[str]:
    """An installed service with two migrations."""
    versions = tmp_path / "planted_service" / "adapters" / "db" / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "planted_service" / "__init__.py").write_text("")
    (versions / "0001_till.py").write_text(FIRST)
    (versions / "0002_store.py").write_text(SECOND)
    sys.path.insert(0, str(tmp_path))
    yield "planted_service"
    sys.path.remove(str(tmp_path))
    del sys.modules["planted_service"]


async def test_processes_that_start_together_migrate_once_and_again_is_nothing(
    fresh_database: FreshDatabase, package: str
) -> None:
    url = await fresh_database()
    await asyncio.gather(*(migrate(url, package) for _ in range(3)), in_another_process(url, package))
    await migrate(url, package)
    connection = await connect(url, "test")
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "0002"
    assert await connection.fetchval("SELECT to_regclass('till_by_store') IS NOT NULL")
    await connection.close()


async def in_another_process(url: str, package: str) -> None:
    program = (
        "import asyncio, sys\n"
        f"sys.path.insert(0, {str(versions_of(package).parents[4])!r})\n"
        "from regulars_kit.migrations import migrate\n"
        f"asyncio.run(migrate({url!r}, {package!r}))\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == 0


async def test_a_database_is_made_once(postgres: PostgresServer) -> None:
    url, name = postgres.url("postgres"), 'made "twice"'
    await asyncio.gather(*(ensure_database(url, name) for _ in range(3)))
    await ensure_database(url, name)
    connection = await connect(url, "test")
    assert await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", name) == 1
    await connection.execute('DROP DATABASE "made ""twice"""')
    await connection.close()


async def test_a_server_that_is_away_is_said_to_be(tmp_path: Path, package: str) -> None:
    url = f"postgresql+asyncpg://nobody@/nothing?host={tmp_path}"
    with pytest.raises(Unavailable):
        await migrate(url, package)
    with pytest.raises(Unavailable):
        await ensure_database(url, "nothing")
