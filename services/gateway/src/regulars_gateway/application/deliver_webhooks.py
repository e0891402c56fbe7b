"""The deliverer: claims what is due, sends it, records what came of it. Any number of them may run side by side.

What is in flight is claimed by a lease in the database. A process that dies leaves its claims to run out, and whoever
is there tries the same deliveries again, under the same webhook-ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from regulars_gateway.application.ports import Begin, Send, Terms, Unit
from regulars_gateway.application.record_attempts import Chance, record_attempts
from regulars_gateway.domain.deliveries import Claimed, LaneReport, Tried
from regulars_gateway.domain.endpoints import live_secrets
from regulars_kit.values import Clock, Unavailable

POLL_S = 0.5
"""The safety net behind the wake-ups, and how soon a lease that ran out is seen."""

PACE_S = 0.1
"""After a cycle that did something the next begins so much later: what ends or arrives meanwhile shares a commit
(ADR 0018). What comes alone does not wait for it, nor does what is due and had no room."""

GATHER_S = 0.02
"""What wakes us is waited for with others of its kind at least so long."""

TURN_S = 2.0
"""A lane's turn: after it no further delivery of the lane is begun under the same claim."""

AWAY_S = 1.0


class Deliverer:
    """`wake` it, in its event loop, after the commit of new deliveries."""

    def __init__(self, begin: Begin, send: Send, terms: Terms, chance: Chance, now: Clock) -> None:
        self._begin = begin
        self._send = send
        self._terms = terms
        self._chance = chance
        self._now = now
        self._woken = asyncio.Event()
        self._done: list[LaneReport] = []
        self._in_flight = 0

    def wake(self) -> None:
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`; then what is in flight is ended and recorded."""
        stopping = asyncio.create_task(self._wake_at(stop))
        try:
            async with asyncio.TaskGroup() as group:
                while not stop.is_set():
                    self._woken.clear()
                    began = asyncio.get_running_loop().time()
                    try:
                        wait_s, pace_s = await self._cycle(group)
                    except Unavailable:
                        wait_s, pace_s = AWAY_S, 0.0
                    await self._rest(stop, wait_s, began + pace_s)
            await self._record_the_last()
        finally:
            stopping.cancel()

    async def _cycle(self, group: asyncio.TaskGroup) -> tuple[float, float]:
        """Record what has ended, begin what is due, in one commit.

        Returns for how long there is nothing to do, as far as is known; and how soon after this cycle's beginning the
        next may begin if there is.
        """
        room = self._terms.at_once - self._in_flight
        has_ended = bool(self._done)
        async with self._recording() as unit:
            # Of now: the leases are to outlast what is done under them, however long the recording took.
            at = self._now()
            claimed = await unit.claims.claim(self._terms, at, room) if room > 0 else []
            due = await unit.claims.next_due()
        for lane in claimed:
            self._in_flight += 1
            group.create_task(self._deliver(lane))
        # What is due already waits for something in flight, whose end wakes us, or for another deliverer.
        wait_s = min([POLL_S, *((instant - at).total_seconds() for instant in due.values() if instant > at)])
        overdue = {endpoint_id for endpoint_id, instant in due.items() if instant <= at}
        has_no_room = len(claimed) == room or any(lane.endpoint_id in overdue for lane in claimed)
        is_paced = (claimed or has_ended) and not has_no_room
        return wait_s, PACE_S if is_paced else 0.0

    async def _rest(self, stop: asyncio.Event, wait_s: float, not_before: float) -> None:
        clock = asyncio.get_running_loop().time
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), wait_s)
            # Woken by the first of several: the others are just behind it.
            not_before = max(not_before, clock() + GATHER_S)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), not_before - clock())

    async def _deliver(self, lane: Claimed) -> None:
        try:
            tried = await self._take_turn(lane)
            self._done.append(LaneReport(lane.claim, lane.endpoint_id, lane.subject, tried))
        finally:
            self._in_flight -= 1
            self._woken.set()

    async def _take_turn(self, lane: Claimed) -> Sequence[Tried]:
        tried: list[Tried] = []
        began = asyncio.get_running_loop().time()
        for due in lane.due:
            secrets = live_secrets(lane.secrets, self._now())
            attempt = await self._send(lane.url, due.id, due.body, secrets)
            tried.append(Tried(due.id, due.tries, attempt))
            # What follows in the lane waits for this one.
            if not attempt.succeeded or asyncio.get_running_loop().time() - began > TURN_S:
                break
        return tried

    @asynccontextmanager
    async def _recording(self) -> AsyncIterator[Unit]:
        """A unit in which the ended deliveries are recorded. They are kept for the next when the database is away, if
        that is before the leases run out."""
        reports, self._done = self._done, []
        try:
            async with self._begin() as unit:
                if reports:
                    await record_attempts(reports, self._terms, self._chance, unit, self._now())
                yield unit
        except Unavailable:
            self._done = reports + self._done
            raise

    async def _record_the_last(self) -> None:
        if self._done:
            with suppress(Unavailable):
                async with self._recording():
                    pass

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._woken.set()
