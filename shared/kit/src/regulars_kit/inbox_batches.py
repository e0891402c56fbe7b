"""A consumer that takes many events in one commit: for services that do little with each of very many.

What cannot be taken together (one event does not parse, say) is handled one by one, as the plain consumer does, so
that the culprit alone becomes a dead letter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from regulars_kit.bus import Bus, Received, Subscription
from regulars_kit.bus.metrics import HANDLED, REDELIVERED
from regulars_kit.db import Database, Redelivered
from regulars_kit.inbox import MAX_AGE, Consumer, PermanentError, type_name
from regulars_kit.values import Clock, utc_now

Delivered = tuple[UUID, bytes]
"""An event's id and its structured CloudEvents JSON."""

BatchHandler = Callable[[Sequence[Delivered]], Awaitable[int]]
"""Takes events in order, all in one commit with their inbox rows; those seen before have no effect. Returns how many
were new. Raises when one of them cannot be taken: then none was."""

_log = structlog.get_logger(__name__)


class BatchConsumer(Consumer):
    """A `Consumer` whose every poll is one commit. `types` are the event types that `take` knows."""

    def __init__(
        self,
        bus: Bus,
        group: str,
        topics: Sequence[str],
        types: Iterable[str],
        take: BatchHandler,
        database: Database,
        *,
        clock: Clock = utc_now,
        max_age: timedelta | None = MAX_AGE,
        batch: int = 500,
    ) -> None:
        async def take_one(event_id: UUID, body: bytes) -> None:
            if not await take([(event_id, body)]):
                raise Redelivered(str(event_id))

        handlers = dict.fromkeys(types, take_one)
        super().__init__(bus, group, topics, handlers, database, clock=clock, max_age=max_age, batch=batch)
        self._take = take

    async def _handle_all(self, subscription: Subscription, received: Sequence[Received], stop: asyncio.Event) -> None:
        try:
            await self._take_together(received)
        # Whatever it was, it is met again below, where it is told apart: what may pass holds back its partition,
        # what never will is buried, and the other events are taken.
        except Exception as error:
            _log.info("batch_taken_apart", group=self.group, events=len(received), cause=type(error).__name__)
            await super()._handle_all(subscription, received, stop)
            return
        ends = {(event.topic, event.partition): event.offset + 1 for event in received}
        for place, end in ends.items():
            self._backoffs.pop(place, None)
            await self._commit(subscription, place, end)

    async def _take_together(self, received: Sequence[Received]) -> None:
        messages = [event.message for event in received]
        strangers = [message for message in messages if message.type not in self._handlers]
        wanted = [message for message in messages if message.type in self._handlers]
        if any(type_name(message.type) in self._names for message in strangers) or any(map(self._is_too_old, wanted)):
            raise PermanentError("an event among them is not to be taken")
        new = await self._take([(message.event_id, message.body) for message in wanted]) if wanted else 0
        HANDLED.labels(self.group).inc(new)
        REDELIVERED.labels(self.group).inc(len(wanted) - new)
