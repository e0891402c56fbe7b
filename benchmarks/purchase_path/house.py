"""One durable PostgreSQL, and in it a database for each contender: copies of one that the loyalty service itself made,
with its tables and indexes and 10,000 customers who have an account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from purchase_path import shop, stored
from purchase_path.load import Load, run_load
from purchase_path.measuring import Measure, Reading
from purchase_path.ours import Ours, loyalty_service
from purchase_path.pgbench_peer import Pgbench
from purchase_path.server import uvicorn_server
from purchase_path.tools import find_pgbench, find_wrk
from regulars.postgres import PostgresServer
from regulars_kit import outbox
from regulars_kit.db import Database
from regulars_kit.migrations import migrate

CLIENTS = (1, 8, 32, 64)
BATCH = 100
"""Purchases of one batch request, and rows' purchases of one transaction of its peer."""

BATCH_CLIENTS = 8
_PREPARED = "prepared"


@dataclass(frozen=True, slots=True)
class House:
    """Everybody is up and idle; who is measured has the cores to himself."""

    folder: Path
    wrk: Path
    ours: Ours
    pgbench: Pgbench
    orm_url: str
    orm_database_url: str
    empty_url: str
    before: stored.Written

    def contenders(self, seconds: float) -> dict[str, Measure]:
        """Who is measured, by name and in this order: each beside its peer."""
        everybody, one = self.folder / "customers", self.folder / "one-customer"
        turns: dict[str, Measure] = {}
        for clients in CLIENTS:
            turns[f"pgbench_{clients}"] = partial(self.pgbench.measure, clients, seconds)
            turns[f"ours_{clients}"] = partial(self.ours.measure, self.wrk, Load(clients, seconds, everybody))
            if clients == 32:
                turns["ours_hot"] = partial(self.ours.measure, self.wrk, Load(clients, seconds, one))
                turns["orm"] = partial(self._measure_orm, Load(clients, seconds, everybody))
                turns["empty"] = partial(self._measure_empty, Load(clients, seconds, everybody))
        turns["pgbench_batch"] = partial(self.pgbench.measure, BATCH_CLIENTS, seconds, BATCH)
        batches = Load(BATCH_CLIENTS, seconds, everybody, BATCH)
        turns["ours_batch"] = partial(self.ours.measure, self.wrk, batches)
        return turns

    def settle(self) -> None:
        """Before each turn: what the one before left to be written to disk is written."""
        stored.write_checkpoint(self.ours.database_url)

    def written(self) -> dict[str, tuple[float, float]]:
        """Rows and bytes that a purchase added, account aside, by contender: everybody writes the same."""
        urls = {
            "ours": self.ours.database_url,
            "pgbench": self.pgbench.database_url,
            "ORM": self.orm_database_url,
        }
        return {name: stored.written(url).per_purchase_since(self.before) for name, url in urls.items()}

    def _measure_orm(self, load: Load) -> Reading:
        return stored.checked(self.orm_database_url, load, run_load(self.wrk, [f"{self.orm_url}/v1/purchases"], load))

    def _measure_empty(self, load: Load) -> Reading:
        return run_load(self.wrk, [f"{self.empty_url}/v1/purchases"], load).reading


@contextmanager
def opened_house(folder: Path) -> Iterator[House]:
    """Make everything in `folder`, which must be empty, and end it with the block. Raises `Failed`."""
    wrk = find_wrk()
    pgbench = find_pgbench()
    shop.write_customers(folder / "customers")
    (folder / "one-customer").write_text(f"{shop.customer_id(1)}\n")
    with PostgresServer(folder / "data") as postgres, ExitStack() as stack:
        before = _prepare(postgres, folder)
        ours_url, limit_url, orm_url = (_copy(postgres, name) for name in ("ours", "pgbench", "orm"))
        orm_environment = {"BENCHMARK_DATABASE_URL": orm_url}
        yield House(
            folder=folder,
            wrk=wrk,
            ours=stack.enter_context(loyalty_service(ours_url, postgres.url("bus"), folder)),
            pgbench=Pgbench(pgbench, postgres.socket_dir, "pgbench", limit_url, folder),
            orm_url=stack.enter_context(
                uvicorn_server("purchase_path.orm_peer:app", orm_environment, folder / "orm.log")
            ),
            orm_database_url=orm_url,
            empty_url=stack.enter_context(uvicorn_server("purchase_path.empty_peer:app", {}, folder / "empty.log")),
            before=before,
        )


def _prepare(postgres: PostgresServer, folder: Path) -> stored.Written:
    bus_url = asyncio.run(postgres.create_database("bus"))
    url = asyncio.run(postgres.create_database(_PREPARED))
    asyncio.run(migrate(url, "regulars_loyalty"))
    asyncio.run(_make_todays_partition(url))
    with loyalty_service(url, bus_url, folder) as ours:
        ours.open_shop()
    # The copies have the statistics too: nobody is planned worse than another.
    stored.analyse(url)
    return stored.written(url)


def _copy(postgres: PostgresServer, name: str) -> str:
    return asyncio.run(postgres.create_database(name, template=_PREPARED))


async def _make_todays_partition(url: str) -> None:
    """As the relay would have done."""
    database = Database(url, name="benchmark", pool_size=1)
    async with database.transaction() as connection:
        await outbox.ensure_partitions(connection, datetime.now(UTC).date())
    await database.close()
