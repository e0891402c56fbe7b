"""A bus in this process's memory, for unit tests: nothing outlives it."""

from __future__ import annotations

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from weakref import WeakSet

from regulars_kit.bus import PARTITIONS, Message, Received, Subscription

_Place = tuple[str, int]


class MemoryBus:
    """Topics as lists. A member of a group that is dropped without `close` counts as killed: others take over."""

    def __init__(self) -> None:
        self.logs: dict[_Place, list[Message]] = {}
        self.offsets: dict[tuple[str, str, int], int] = defaultdict(int)
        self.members: dict[str, WeakSet[MemorySubscription]] = defaultdict(WeakSet)
        self._partitions: dict[str, int] = {}
        self._joined = 0

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        for message in messages:
            partition = zlib.crc32(message.key.encode()) % self._partitions[topic]
            self.logs[topic, partition].append(message)
        for group in self.members.values():
            for member in group:
                member.arrived.set()

    async def subscribe(self, group: str, topics: Sequence[str]) -> Subscription:
        self._joined += 1
        member = MemorySubscription(self, group, topics, self._joined)
        self.members[group].add(member)
        return member

    async def ensure_topics(self, topics: Sequence[str], partitions: int = PARTITIONS) -> None:
        for topic in topics:
            count = self._partitions.setdefault(topic, partitions)
            for partition in range(count):
                self.logs.setdefault((topic, partition), [])

    async def ping(self) -> None:
        pass

    async def close(self) -> None:
        self.members.clear()


class MemorySubscription:
    def __init__(self, bus: MemoryBus, group: str, topics: Sequence[str], joined: int) -> None:
        self.arrived = asyncio.Event()
        self.joined = joined
        self._bus = bus
        self._group = group
        self._topics = frozenset(topics)
        self._positions: dict[_Place, int] = {}
        self._paused: set[_Place] = set()

    async def poll(self, max_messages: int, timeout_s: float) -> list[Received]:
        self._share()
        self.arrived.clear()
        received = self._take(max_messages)
        if not received:
            try:
                await asyncio.wait_for(self.arrived.wait(), timeout_s)
            except TimeoutError:
                return []
            received = self._take(max_messages)
        return received

    async def commit(self, topic: str, partition: int, next_offset: int) -> None:
        if (topic, partition) in self._positions:
            self._bus.offsets[self._group, topic, partition] = next_offset

    async def commit_all(self, next_offsets: Mapping[_Place, int]) -> None:
        for place, next_offset in next_offsets.items():
            await self.commit(*place, next_offset)

    async def behind(self) -> Mapping[str, int]:
        behind = dict.fromkeys(self._topics, 0)
        for place, position in self._positions.items():
            behind[place[0]] += len(self._bus.logs[place]) - position
        return behind

    def pause(self, topic: str, partition: int) -> None:
        self._paused.add((topic, partition))

    def resume(self, topic: str, partition: int) -> None:
        self._paused.discard((topic, partition))

    def rewind(self, topic: str, partition: int, offset: int) -> None:
        if (topic, partition) in self._positions:
            self._positions[topic, partition] = offset

    async def close(self) -> None:
        self._bus.members[self._group].discard(self)
        self._positions.clear()

    def _share(self) -> None:
        """Every n-th partition is ours, by the order of joining; what another still holds is waited for."""
        members = sorted(self._bus.members[self._group], key=lambda member: member.joined)
        places = sorted(place for place in self._bus.logs if place[0] in self._topics)
        mine = set(places[members.index(self) :: len(members)]) if self in members else set()
        held = {place for member in members if member is not self for place in member._positions}
        self._positions = {place: at for place, at in self._positions.items() if place in mine}
        for place in mine - held - self._positions.keys():
            self._positions[place] = self._bus.offsets[self._group, *place]

    def _take(self, max_messages: int) -> list[Received]:
        received: list[Received] = []
        for place in [place for place in self._positions if place not in self._paused]:
            start = self._positions[place]
            messages = self._bus.logs[place][start : start + max_messages - len(received)]
            received += [Received(message, *place, start + index) for index, message in enumerate(messages)]
            self._positions[place] = start + len(messages)
        return received
