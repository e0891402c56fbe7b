"""One bus to hold against the laws: how to open it, also from another process, and how to be killed on it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from conformance.shop import PATIENCE_S
from regulars_kit.bus import PARTITIONS, Bus, Message, Subscription
from regulars_kit.bus.kafka import KafkaBus
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.bus.postgres import PostgresBus

TESTS = Path(__file__).resolve().parent.parent


class Killed(BaseException):
    """The end of a process that has none of its own: nothing in the product catches it."""


@dataclass(frozen=True, slots=True)
class Rig:
    """`address` is where another process finds the same bus; empty for the memory bus, which has no other process."""

    kind: str
    address: str
    bus: Bus

    async def a_topic(self) -> str:
        topic = f"shop.{uuid4().hex[:12]}"
        await self.bus.ensure_topics([topic])
        return topic

    async def killed_at(self, moment: str, database_url: str, topic: str, group: str, together: int = 1) -> None:
        """Run `conformance.killed` until it kills itself at the moment; returns once it is dead."""
        arguments = [moment, self.kind, self.address, database_url, topic, group, str(together)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "conformance.killed", *arguments, cwd=TESTS, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(PATIENCE_S):
            _, errors = await process.communicate()
        assert process.returncode == -signal.SIGKILL, errors.decode()


def open_bus(kind: str, address: str) -> Bus:
    if kind == "kafka":
        return KafkaBus(address, session_timeout_s=1.0)
    return PostgresBus(address) if kind == "postgres" else MemoryBus()


def end_it() -> None:
    """This process, at once and without a word: no `finally` runs."""
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class DeadlyBus:
    """A bus on which one dies at a moment: before an offset is committed, or after a batch was published."""

    bus: Bus
    moment: str
    die: Callable[[], None]

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        await self.bus.publish(topic, messages)
        if self.moment == "after_publish":
            self.die()

    async def subscribe(self, group: str, topics: Sequence[str]) -> Subscription:
        subscription = await self.bus.subscribe(group, topics)

        async def commit(topic: str, partition: int, next_offset: int) -> None:
            self.die()

        async def commit_all(next_offsets: Mapping[tuple[str, int], int]) -> None:
            self.die()

        if self.moment == "before_offset":
            subscription.commit = commit  # type: ignore[method-assign]
            subscription.commit_all = commit_all  # type: ignore[method-assign]
        return subscription

    async def ensure_topics(self, topics: Sequence[str], partitions: int = PARTITIONS) -> None:
        await self.bus.ensure_topics(topics, partitions)

    async def ping(self) -> None:
        await self.bus.ping()

    async def close(self) -> None:
        await self.bus.close()


class Runner(Protocol):
    async def run(self, stop: asyncio.Event) -> None: ...


@asynccontextmanager
async def running(*runners: Runner) -> AsyncIterator[asyncio.Event]:
    """Run them in the background until the block ends; they stop gracefully then."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for runner in runners:
            tasks.create_task(runner.run(stop))
        try:
            yield stop
        finally:
            stop.set()
