"""The relay: takes what the outbox holds, publishes it in the order of ids, marks it sent.

One relay per database is active, the one that holds the advisory lock; others stand by. The lock, the locked rows and
the marks live on one connection of the relay's own: when it dies, all three are gone together, so that a new relay
never publishes past rows that an old one still holds.

Rows are found by being unsent, never by `id > last`: ids are drawn before they are committed, and a transaction that
commits late would be passed over.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError

from regulars_kit import outbox
from regulars_kit.bus import Bus, Message
from regulars_kit.bus.backoff import Backoff, happened
from regulars_kit.bus.connections import AWAY, REPEATABLE, connect
from regulars_kit.bus.metrics import OUTBOX_UNSENT, PUBLISHED, RELAY_LAG_SECONDS
from regulars_kit.db import Database
from regulars_kit.values import Clock, Unavailable, utc_now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RELAY_LOCK = 7_301
"""Advisory lock of the active relay in a service's database."""

CHANNEL = "regulars_outbox"
BATCH = 1_000
"""Rows per transaction: enough to fill a pipeline, few enough to be published within a second."""

POLL_S = 0.25
"""The safety net behind the wake-ups: also how soon a relay that stands by takes over."""

PACE_S = 0.15
"""Two batches begin so far apart while they are not full: each costs a commit, for which the tills' commits wait
(ADR 0018). What comes alone waits for nothing."""

_MEASURE_EVERY_S = 5.0
_HOUSEKEEP_EVERY_S = 3_600.0

# Each row that was sent leaves a dead entry in the index until the next vacuum. A plain index scan marks those it meets
# and passes over them from then on; a bitmap scan, which the planner takes for a few hundred rows, looks up all of them
# in the table, time after time. `REPEATABLE` forbids it.
_UNSENT = f"""
    SELECT id, event_id, type, key, body, created_on FROM outbox
    WHERE sent_at IS NULL ORDER BY id LIMIT {BATCH} FOR UPDATE SKIP LOCKED
"""
# The days let PostgreSQL leave the other partitions alone.
_MARK = "UPDATE outbox SET sent_at = now() WHERE id = ANY($1::bigint[]) AND created_on BETWEEN $2 AND $3"
_LAG = """
    SELECT count(*) AS unsent, coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0) AS lag_s
    FROM outbox WHERE sent_at IS NULL
"""

_log = structlog.get_logger(__name__)


class Relay:
    """Publishes one service's outbox to its topic. `clock` says which day it is, for the partitions."""

    def __init__(self, database: Database, bus: Bus, topic: str, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._bus = bus
        self._topic = topic
        self._clock = clock
        self._woken = asyncio.Event()
        self._measured_at = self._housekept_at = float("-inf")
        self.is_active = False

    def wake(self) -> None:
        """Say that something was committed. Call it in the relay's event loop, after the commit."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until `stop` is set; a batch in flight is ended first. Survives a database or a bus that is away."""
        backoff = Backoff(most_s=10.0)
        stopping = asyncio.create_task(self._wake_at(stop))
        try:
            while not stop.is_set():
                try:
                    await self._stand(stop, backoff)
                except AWAY as error:
                    _log.warning("relay_lost_its_connection", topic=self._topic, cause=type(error).__name__)
                    await backoff.pause(stop)
        finally:
            stopping.cancel()

    async def notify(self, stop: asyncio.Event) -> None:
        """In a process that commits but does not relay: hand `wake` on to the process that does, until `stop`."""
        await Notifier(self._database, self._woken).run(stop)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._woken.set()

    async def _stand(self, stop: asyncio.Event, backoff: Backoff) -> None:
        """One connection's life: stand by until the lock is ours, then relay. Raises one of `AWAY` when it dies."""
        async with self._connected() as connection:
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", RELAY_LOCK):
                if await happened(stop, POLL_S):
                    return
            _log.info("relay_active", topic=self._topic)
            self.is_active = True
            await self._relay(connection, stop, backoff)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        connection = await connect(self._database.url, f"relay {self._topic}", settings=REPEATABLE)
        try:
            await connection.add_listener(CHANNEL, lambda *_: self._woken.set())
            yield connection
        finally:
            self.is_active = False
            # Not closed in good order: a connection that just failed would be waited for, and the lock goes either way.
            connection.terminate()

    async def _relay(self, connection: asyncpg.Connection[Any], stop: asyncio.Event, backoff: Backoff) -> None:
        while not stop.is_set():
            self._woken.clear()
            began = time.monotonic()
            try:
                await self._housekeep()
                sent = await self.relay_batch(connection)
            except Unavailable as error:
                _log.warning("bus_away", topic=self._topic, detail=error.detail)
                await self._measure(connection)
                await backoff.pause(stop)
                continue
            backoff.reset()
            await self._measure(connection)
            if sent == 0:
                await happened(self._woken, POLL_S)
            elif sent < BATCH:
                await happened(stop, began + PACE_S - time.monotonic())

    async def relay_batch(self, connection: asyncpg.Connection[Any]) -> int:
        """Publish up to `BATCH` rows and mark them, all in one transaction; returns how many. Raises `Unavailable`."""
        async with connection.transaction():
            rows = await self.unsent(connection)
            if not rows:
                return 0
            messages = [Message(row["event_id"], row["type"], row["key"], row["body"]) for row in rows]
            await self._bus.publish(self._topic, messages)
            days = [row["created_on"] for row in rows]
            await connection.execute(_MARK, [row["id"] for row in rows], min(days), max(days))
        PUBLISHED.labels(self._topic).inc(len(rows))
        return len(rows)

    async def unsent(self, connection: asyncpg.Connection[Any]) -> list[Any]:
        """The oldest rows not yet sent, locked, in the order of ids."""
        return list(await connection.fetch(_UNSENT))

    async def _measure(self, connection: asyncpg.Connection[Any]) -> None:
        if time.monotonic() - self._measured_at < _MEASURE_EVERY_S:
            return
        self._measured_at = time.monotonic()
        row = await connection.fetchrow(_LAG)
        assert row is not None
        OUTBOX_UNSENT.labels(self._topic).set(row["unsent"])
        RELAY_LAG_SECONDS.labels(self._topic).set(float(row["lag_s"]))

    async def _housekeep(self) -> None:
        """Once an hour: the topic is there, the coming days have their partitions, the old ones are dropped."""
        if time.monotonic() - self._housekept_at < _HOUSEKEEP_EVERY_S:
            return
        await self._bus.ensure_topics([self._topic])
        today = self._clock().date()
        try:
            async with self._database.transaction() as connection:
                await outbox.ensure_partitions(connection, today)
            async with self._database.transaction() as connection:
                await outbox.drop_old(connection, today)
        except DBAPIError as error:
            # A lock not had in time, or another process at the same work: the default partition takes the rows.
            _log.warning("outbox_partitions_later", topic=self._topic, cause=type(error.orig).__name__)
        self._housekept_at = time.monotonic()


class Notifier:
    """Wakes the relay of another process: at most one NOTIFY a pace, after the commits, on its own connection.

    Inside the writing transaction the NOTIFY would cost more than half of the writes: such commits queue.
    """

    def __init__(self, database: Database, woken: asyncio.Event | None = None) -> None:
        self._database = database
        self._woken = asyncio.Event() if woken is None else woken

    def wake(self) -> None:
        """Say that something was committed; returns at once. Call it in the event loop that runs `run`."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Notify until `stop` is set. While the database is away nothing is said: the relay polls anyway."""
        backoff = Backoff()
        while not stop.is_set():
            try:
                connection = await connect(self._database.url, "outbox notifier")
                try:
                    await self._notify(connection, stop, backoff)
                finally:
                    connection.terminate()
            except AWAY:
                await backoff.pause(stop)

    async def _notify(self, connection: asyncpg.Connection[Any], stop: asyncio.Event, backoff: Backoff) -> None:
        while not stop.is_set():
            if await happened(self._woken, POLL_S):
                self._woken.clear()
                await connection.execute(f"NOTIFY {CHANNEL}")
                backoff.reset()
                # The relay has looked, and looks again by itself a pace later.
                await happened(stop, PACE_S)
