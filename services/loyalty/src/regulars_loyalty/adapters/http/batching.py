"""Purchases that arrive while a commit is under way share the next one.

A commit costs the database nearly the same for one purchase as for two hundred, so the till's path waits for no timer
and for at most one commit before its own. One batch after the other: that keeps each customer's purchases in the order
in which they arrived. A large one is priced while the one before it is stored, and begins when that one has its locks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from regulars_kit.values import Refused, Unavailable
from regulars_loyalty.application.pricing_ahead import Ahead
from regulars_loyalty.application.purchase_rows import Answer, RecordPurchase

Price = Callable[[Sequence[RecordPurchase]], Awaitable[Ahead | None]]
"""Prices purchases before their turn; None where that is not worth it."""

Work = Callable[[Sequence[RecordPurchase], Ahead | None, Callable[[], None]], Awaitable[Sequence[Answer | Refused]]]
"""Records purchases in one commit and answers each, in order. Raises when nothing was stored.

Calls what it is given last once no other batch can overtake this one.
"""

Outcome = Answer | Exception
"""An answer, a refusal, Unavailable, or the error that a purchase met when it was tried alone."""

MOST_PURCHASES = 200
MOST_LINES = 20_000
"""Of one batch, whichever comes first. A larger batch would make those who wait for the next one wait too long."""

ENOUGH = 100
"""Purchases waiting that make a batch of their own while another one is stored. Fewer wait for company until then."""

_MOST_STORING = 2
"""Batches on their way at once: one writes while the database writes the other to the disk."""

MOST_WAITING = 5_000
"""Single purchases waiting. More would be answered after a till has given up on them."""

_QUIET_TURNS = 3
"""Turns of the event loop without a new purchase, after which those that came are recorded: a request takes two from
its arrival to the batcher."""

log = structlog.get_logger("regulars.loyalty")


@dataclass(frozen=True, slots=True)
class _Group:
    """What one caller sent: answered together, so never split over two batches."""

    commands: Sequence[RecordPurchase]
    lines: int
    outcomes: asyncio.Future[Sequence[Outcome]]


class Batcher:
    """Turns concurrent calls into batches for `work`, priced by `price` before their turn. Belongs to one event loop;
    `drain` before it ends."""

    def __init__(
        self,
        work: Work,
        price: Price,
        *,
        most_purchases: int = MOST_PURCHASES,
        most_lines: int = MOST_LINES,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._work = work
        self._price = price
        self._most_purchases = most_purchases
        self._most_lines = most_lines
        self._most_waiting = most_waiting
        self._waiting: deque[_Group] = deque()
        self._purchases_waiting = 0
        self._storing: set[asyncio.Task[None]] = set()
        self._locking: list[_Group] | None = None
        self._news = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def record(self, command: RecordPurchase) -> Answer:
        """Record one purchase with whatever else has come. Raises its refusal, and Unavailable when too many wait."""
        if len(self._waiting) >= self._most_waiting:
            raise Unavailable("too many purchases are waiting; try again")
        outcome = (await self.submit([command]))[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def submit(self, commands: Sequence[RecordPurchase]) -> asyncio.Future[Sequence[Outcome]]:
        """Hand in purchases that are to be answered together. The future is of their outcomes, in order.

        It always gets a result; whoever cancels it before its turn takes the purchases back. A stream that waits for
        its last group but one before it hands in the next needs no other bound.
        """
        group = _Group(commands, sum([len(c.purchase.lines) for c in commands]), asyncio.Future())
        if not commands:
            group.outcomes.set_result([])
            return group.outcomes
        self._waiting.append(group)
        self._count(len(commands))
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="purchases")
        return group.outcomes

    async def drain(self) -> None:
        """Return once everything handed in is answered."""
        while self._running is not None:
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        try:
            while self._waiting or self._storing:
                await self._until(self._is_time_for_another)
                await self._gather()
                if batch := self._next_batch():
                    ahead = await self._priced(batch)
                    await self._until(lambda: self._locking is None)
                    self._start(batch, ahead)
        finally:
            self._running = None

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._news.clear()
            await self._news.wait()

    def _is_time_for_another(self) -> bool:
        is_large = self._purchases_waiting >= ENOUGH
        return not self._storing or (is_large and len(self._storing) < _MOST_STORING)

    def _start(self, batch: list[_Group], ahead: Ahead | None) -> None:
        self._locking = batch
        task = asyncio.create_task(self._record(batch, ahead), name="commit")
        self._storing.add(task)
        task.add_done_callback(self._stored)

    def _locked(self, batch: list[_Group]) -> None:
        if self._locking is batch:
            self._locking = None
            self._news.set()

    def _stored(self, task: asyncio.Task[None]) -> None:
        self._storing.discard(task)
        self._news.set()

    def _count(self, change: int) -> None:
        self._purchases_waiting += change
        self._news.set()

    async def _gather(self) -> None:
        """Let in what has reached this process already.

        The answers of one batch bring the next purchases of the same tills within a millisecond. Without this the
        first of them would have a commit of its own, and all the others would wait for it.
        """
        quiet, seen = 0, len(self._waiting)
        while quiet < _QUIET_TURNS and len(self._waiting) < self._most_purchases:
            await asyncio.sleep(0)
            quiet, seen = (quiet + 1, seen) if len(self._waiting) == seen else (0, len(self._waiting))

    def _next_batch(self) -> list[_Group]:
        batch: list[_Group] = []
        purchases = lines = 0
        while self._waiting:
            group = self._waiting[0]
            purchases += len(group.commands)
            lines += group.lines
            if batch and (purchases > self._most_purchases or lines > self._most_lines):
                break
            self._waiting.popleft()
            self._count(-len(group.commands))
            if group.outcomes.cancelled():
                purchases -= len(group.commands)
                lines -= group.lines
            else:
                batch.append(group)
        return batch

    async def _priced(self, batch: list[_Group]) -> Ahead | None:
        try:
            return await self._price(_commands_of(batch))
        # Whatever it was, the purchases meet it again in their turn, and it is told to whom it concerns there.
        except Exception:
            return None

    async def _record(self, batch: list[_Group], ahead: Ahead | None) -> None:
        try:
            outcomes = iter(await self._outcomes(_commands_of(batch), ahead, lambda: self._locked(batch)))
        finally:
            self._locked(batch)
        for group in batch:
            own = [next(outcomes) for _ in group.commands]
            # A client that went away meanwhile has cancelled its future; what it sent is recorded all the same.
            if not group.outcomes.done():
                group.outcomes.set_result(own)

    async def _outcomes(
        self, commands: Sequence[RecordPurchase], ahead: Ahead | None, on_locked: Callable[[], None]
    ) -> Sequence[Outcome]:
        try:
            return await self._work(commands, ahead, on_locked)
        except Unavailable as away:
            return [_again(away) for _ in commands]
        # What nobody expected may come of one purchase alone: it must not fail its neighbours, and is told to its
        # own caller below.
        except Exception:
            log.exception("batch failed", purchases=len(commands))
            return [await self._alone(command) for command in commands]

    async def _alone(self, command: RecordPurchase) -> Outcome:
        try:
            return (await self._work([command], None, lambda: None))[0]
        except Unavailable as away:
            return _again(away)
        except Exception as error:
            return error


def _commands_of(batch: Sequence[_Group]) -> list[RecordPurchase]:
    return [command for group in batch for command in group.commands]


def _again(away: Unavailable) -> Unavailable:
    """The same for each caller: an exception that several tasks raise would gather the tracebacks of all."""
    return Unavailable(away.detail, retry_after_s=away.retry_after_s)
