"""The bus as services see it: topics of keyed messages, read by groups. One port, three adapters, one test suite.

A topic is cut into partitions by key; within a partition everybody sees the same order. Delivery is at least once:
what a group has not committed comes again, and the inbox makes of that exactly one effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

PARTITIONS = 12
"""Partitions of a new topic. Never changed in place: it would move keys between partitions and lose their order."""


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way: `body` is the structured CloudEvents JSON, `key` the customer whose order must hold."""

    event_id: UUID
    type: str
    key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A message with its place. `offset` grows within a partition, with gaps."""

    message: Message
    topic: str
    partition: int
    offset: int


class Subscription(Protocol):
    """One member of a group: it reads the partitions that are its own just now, each in order."""

    async def poll(self, max_messages: int, timeout_s: float) -> list[Received]:
        """The next messages, at most `max_messages`; empty when none came within `timeout_s`.

        Not to be called while another poll waits. On Kafka a partition may be taken from us before the next one:
        what we handle of it meanwhile, its new owner finds in the inbox. Raises `Unavailable`, or stays empty, while
        the bus is away.
        """
        ...

    async def commit(self, topic: str, partition: int, next_offset: int) -> None:
        """Say that the group is done with everything before `next_offset`.

        A partition that was lost meanwhile is left alone: its new owner's offset counts. Raises `Unavailable`.
        """
        ...

    async def commit_all(self, next_offsets: Mapping[tuple[str, int], int]) -> None:
        """As `commit` for each (topic, partition), in one go."""
        ...

    async def behind(self) -> Mapping[str, int]:
        """How many events were published and not delivered yet, by topic, over the partitions that are ours now.

        Empty while none is, or not all is known of them. Raises `Unavailable`.
        """
        ...

    def pause(self, topic: str, partition: int) -> None:
        """Deliver nothing from this partition until `resume`."""
        ...

    def resume(self, topic: str, partition: int) -> None: ...

    def rewind(self, topic: str, partition: int, offset: int) -> None:
        """Deliver `offset` and what follows once more. Nothing when the partition is no longer ours."""
        ...

    async def close(self) -> None:
        """Leave the group; others take over from the committed offsets."""
        ...


class Bus(Protocol):
    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Append, in order; return once all are acknowledged. Raises `Unavailable`: some may be there all the same."""
        ...

    async def subscribe(self, group: str, topics: Sequence[str]) -> Subscription:
        """Join the group. A group that reads a topic for the first time begins with its oldest message."""
        ...

    async def ensure_topics(self, topics: Sequence[str], partitions: int = PARTITIONS) -> None:
        """Make the topics that are missing; one that exists keeps the number of partitions it has."""
        ...

    async def ping(self) -> None:
        """Return when the bus answers. Raises `Unavailable` when it does not."""
        ...

    async def close(self) -> None: ...
