"""The inbox: every event has its effect once, however often it is delivered.

A handler's transaction carries the row (consumer, event id), see `Transactions.for_delivery`, and the group's offset
is committed after it. A crash between the two brings the event again, and the row makes the second time a no-op.

What cannot succeed goes to the dead letters and the partition goes on. What may succeed later is tried for ever, and
holds back its own partition alone. `handling.py` tells the two apart.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import structlog

from regulars_kit import dead_letters
from regulars_kit.bus import Bus, Message, Received, Subscription
from regulars_kit.bus.backoff import Backoff
from regulars_kit.bus.metrics import CONSUMER_LAG, DEAD_LETTERS, RETRIED
from regulars_kit.db import Database
from regulars_kit.dead_letters import DeadLetter, ReplayRefused, UnknownDeadLetter, list_dead_letters
from regulars_kit.handling import Handler, Handling, PermanentError, Transient
from regulars_kit.leases import pause
from regulars_kit.values import Clock, Unavailable, utc_now

__all__ = [
    "DDL",
    "Consumer",
    "DeadLetter",
    "Handler",
    "PermanentError",
    "ReplayRefused",
    "UnknownDeadLetter",
    "list_dead_letters",
    "replay_dead_letter",
]

DDL: tuple[str, ...] = (
    """
    CREATE TABLE inbox (
        consumer text NOT NULL,
        event_id uuid NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer, event_id)
    )
    """,
    # Rows lie in the order of their arrival, so the pruning by age needs no more than block ranges.
    "CREATE INDEX inbox_by_age ON inbox USING brin (received_at)",
    *dead_letters.DDL,
)
"""Statements for a service's first migration (`op.execute` each): inbox and dead letters."""

MAX_AGE = timedelta(days=60)
"""As long as the inbox remembers: an older event might have been handled, and forgetting must not mean doubling."""

PACE_S = 0.25
"""A commit costs as much as some forty events, and the tills' commits wait for it: events gather for so long
(ADR 0018)."""

_POLL_S = 0.5
_TELL_LAG_EVERY_S = 1.0
_log = structlog.get_logger(__name__)
_Place = tuple[str, int]


class Consumer:
    """One member of a consumer group: reads topics and hands each event to the handler of its type.

    A type without a handler is skipped, unless it is another version of a handled one: that goes to dead letters.
    `max_age` None lifts the age limit, for a rebuild. `batch` messages are fetched at a time, and the events of at
    most `partitions_at_once` partitions are handled side by side, each partition's in order.

    `together` above 1 fetches so many at a time and handles them in one transaction, whatever their partitions; when
    one of them fails, all are rolled back and handled as without it. What a handler does outside of its unit is then
    done again: only for handlers that do nothing there. Two fetches begin `pace_s` apart then, so that events gather
    while many come; one that comes alone waits for nothing.
    """

    def __init__(
        self,
        bus: Bus,
        group: str,
        topics: Sequence[str],
        handlers: Mapping[str, Handler],
        database: Database,
        *,
        clock: Clock = utc_now,
        max_age: timedelta | None = MAX_AGE,
        batch: int = 500,
        partitions_at_once: int = 4,
        together: int = 1,
        pace_s: float = PACE_S,
    ) -> None:
        self.group = group
        self.database = database
        self.clock = clock
        self._bus = bus
        self._topics = tuple(topics)
        self._handling = Handling(group, handlers, database, clock, max_age)
        self._batch = together if together > 1 else batch
        self._goes_together = together > 1
        self._pace_s = pace_s
        self._at_once = asyncio.Semaphore(partitions_at_once)
        self._held_until: dict[_Place, float] = {}
        self._backoffs: dict[_Place, Backoff] = defaultdict(Backoff)
        self._uncommitted: dict[_Place, int] = {}
        self._told_lag_at = float("-inf")

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set; returns once the events in hand are committed and the group is left."""
        backoff = Backoff()
        while not stop.is_set():
            try:
                await self._bus.ensure_topics(self._topics)
                subscription = await self._bus.subscribe(self.group, self._topics)
            except Unavailable:
                await backoff.pause(stop)
                continue
            try:
                await self._consume(subscription, stop)
            finally:
                await subscription.close()

    async def handle(self, message: Message) -> tuple[str, int] | None:
        """Handle one event: None, (reason, tries) or `Transient`, as `Handling.one` does."""
        return await self._handling.one(message)

    async def _consume(self, subscription: Subscription, stop: asyncio.Event) -> None:
        backoff = Backoff()
        while not stop.is_set():
            self._let_go(subscription)
            try:
                await self._commit_rest(subscription)
                await self._tell_lag(subscription)
                received = await subscription.poll(self._batch, self._poll_s())
            except Unavailable as error:
                _log.warning("bus_away", group=self.group, detail=error.detail)
                await backoff.pause(stop)
                continue
            backoff.reset()
            began = time.monotonic()
            if not await self._handled_together(subscription, received):
                async with asyncio.TaskGroup() as tasks:
                    for place, events in _by_place(received).items():
                        tasks.create_task(self._handle_in_order(subscription, place, events, stop))
            if self._goes_together and 0 < len(received) < self._batch:
                await pause(stop, max(0.0, began + self._pace_s - time.monotonic()))

    async def _tell_lag(self, subscription: Subscription) -> None:
        if time.monotonic() - self._told_lag_at < _TELL_LAG_EVERY_S:
            return
        self._told_lag_at = time.monotonic()
        for topic, events in (await subscription.behind()).items():
            CONSUMER_LAG.labels(self.group, topic).set(events)

    async def _handled_together(self, subscription: Subscription, received: Sequence[Received]) -> bool:
        """False: none of them was handled."""
        if not self._goes_together or not received:
            return False
        if not await self._handling.together([event.message for event in received]):
            return False
        done = {(event.topic, event.partition): event.offset + 1 for event in received}
        for place in done:
            self._backoffs.pop(place, None)
        try:
            await subscription.commit_all(done)
        except Unavailable:
            self._uncommitted.update(done)
        return True

    async def _handle_in_order(
        self, subscription: Subscription, place: _Place, events: Iterable[Received], stop: asyncio.Event
    ) -> None:
        done: int | None = None
        async with self._at_once:
            for received in events:
                if stop.is_set():
                    break
                try:
                    await self._settle(received)
                except Transient as error:
                    self._hold_back(subscription, received, error)
                    break
                self._backoffs.pop(place, None)
                done = received.offset + 1
        if done is not None:
            await self._commit(subscription, place, done)

    async def _settle(self, received: Received) -> None:
        """Handled, skipped, or a dead letter. Raises `Transient`, also when the dead letter could not be written."""
        outcome = await self.handle(received.message)
        if outcome is None:
            return
        reason, attempts = outcome
        try:
            async with self.database.transaction() as connection:
                await dead_letters.bury(connection, self.group, received, reason, attempts)
        except (Unavailable, OSError) as error:
            raise Transient from error
        DEAD_LETTERS.labels(self.group).inc()
        # The reason may quote the event; the log names the event alone.
        _log.error("event_dead_lettered", group=self.group, type=received.message.type, topic=received.topic)

    def _hold_back(self, subscription: Subscription, received: Received, error: Transient) -> None:
        place = (received.topic, received.partition)
        RETRIED.labels(self.group).inc()
        delay_s = self._backoffs[place].next_s()
        _log.warning("partition_held_back", group=self.group, place=place, delay_s=delay_s, cause=repr(error.__cause__))
        subscription.pause(*place)
        subscription.rewind(*place, received.offset)
        self._held_until[place] = time.monotonic() + delay_s

    def _let_go(self, subscription: Subscription) -> None:
        now = time.monotonic()
        for place in [place for place, until in self._held_until.items() if until <= now]:
            del self._held_until[place]
            subscription.resume(*place)

    def _poll_s(self) -> float:
        waits = (until - time.monotonic() for until in self._held_until.values())
        return max(0.0, min(_POLL_S, *waits) if self._held_until else _POLL_S)

    async def _commit(self, subscription: Subscription, place: _Place, next_offset: int) -> None:
        try:
            await subscription.commit(*place, next_offset)
        except Unavailable:
            # Nothing is lost by it: said again before the next poll, or the events come once more.
            self._uncommitted[place] = next_offset

    async def _commit_rest(self, subscription: Subscription) -> None:
        for place, next_offset in list(self._uncommitted.items()):
            await subscription.commit(*place, next_offset)
            del self._uncommitted[place]


async def replay_dead_letter(consumer: Consumer, service: str, letter_id: str) -> DeadLetter:
    """Handle the letter's event again, by the same path, and mark it; one already replayed is returned as it is.

    Raises `UnknownDeadLetter`, `ReplayRefused` (with the new reason), and `Unavailable`: the letter stays as it was.
    """
    async with consumer.database.transaction() as connection:
        letter = await dead_letters.lock_dead_letter(connection, service, letter_id)
        if letter.replayed_at is None:
            await _handle_again(consumer, letter)
            await dead_letters.mark_replayed(connection, letter, consumer.clock())
        return await dead_letters.lock_dead_letter(connection, service, letter_id)


async def _handle_again(consumer: Consumer, letter: DeadLetter) -> None:
    try:
        outcome = await consumer.handle(Message(letter.event_id, letter.type, letter.key, letter.body))
    except Transient as error:
        raise Unavailable("what the handler needs is away; try again") from error
    if outcome is not None:
        raise ReplayRefused(outcome[0][: dead_letters.REASON_LIMIT])


def _by_place(received: Iterable[Received]) -> dict[_Place, list[Received]]:
    places: dict[_Place, list[Received]] = defaultdict(list)
    for event in received:
        places[event.topic, event.partition].append(event)
    return places
