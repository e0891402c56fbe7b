"""Purchases that arrive while a commit is under way share the next one.

A commit costs the database nearly the same for one purchase as for two hundred, so the till's path waits for no timer
and for one commit before its own, seldom for two. One batch after the other: that keeps each customer's purchases in
the order in which they arrived. What a batch leaves for the next one, because another process was at the same account,
begins it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from regulars_kit.values import Refused, Unavailable
from regulars_loyalty.application.purchase_rows import Answer, RecordPurchase

Work = Callable[[Sequence[RecordPurchase], int], Awaitable[Sequence[Answer | Refused | None]]]
"""Records purchases in one commit and answers each, in order. Raises when nothing was stored.

None leaves a purchase for the next batch; of which so many as the second argument says, its first ones, had to wait for
it: they are not left again.
"""

Outcome = Answer | Exception
"""An answer, a refusal, Unavailable, or the error that a purchase met when it was tried alone."""

MOST_PURCHASES = 400
MOST_LINES = 20_000
"""Of one batch, whichever comes first, beside what was left for it. A larger one would make those who wait for the next
wait too long."""

MOST_WAITING = 5_000
"""Single purchases waiting. More would be answered after a till has given up on them."""

_QUIET_TURNS = 3
"""Turns of the event loop without a new purchase, after which those that came are recorded: a request takes two from
its arrival to the batcher."""

log = structlog.get_logger("regulars.loyalty")


@dataclass(slots=True, eq=False)
class _Group:
    """What one caller sent: it comes into one batch, and is answered together."""

    commands: Sequence[RecordPurchase]
    lines: int
    answered: asyncio.Future[Sequence[Outcome]]
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def tell(self, place: int, outcome: Outcome) -> None:
        self.outcomes[place] = outcome
        # A client that went away meanwhile has cancelled its future; what it sent is recorded all the same.
        if len(self.outcomes) == len(self.commands) and not self.answered.done():
            self.answered.set_result([self.outcomes[place] for place in range(len(self.commands))])


_Order = tuple[_Group, int]
"""A group, and the place of a purchase in it."""


class Batcher:
    """Turns concurrent calls into batches for `work`. Belongs to one event loop; `drain` before it ends."""

    def __init__(
        self,
        work: Work,
        *,
        most_purchases: int = MOST_PURCHASES,
        most_lines: int = MOST_LINES,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._work = work
        self._most_purchases = most_purchases
        self._most_lines = most_lines
        self._most_waiting = most_waiting
        self._waiting: deque[_Group] = deque()
        self._left: list[_Order] = []
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
            group.answered.set_result([])
            return group.answered
        self._waiting.append(group)
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="purchases")
        return group.answered

    async def drain(self) -> None:
        """Return once everything handed in is answered."""
        while self._running is not None:
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        try:
            while self._waiting or self._left:
                await self._gather()
                left, self._left = self._left, []
                if orders := left + self._next_orders():
                    await self._record(orders, len(left))
        finally:
            self._running = None

    async def _gather(self) -> None:
        """Let in what has reached this process already.

        The answers of one batch bring the next purchases of the same tills within a millisecond. Without this the
        first of them would have a commit of its own, and all the others would wait for it.
        """
        quiet, seen = 0, len(self._waiting)
        while quiet < _QUIET_TURNS and len(self._waiting) < self._most_purchases:
            await asyncio.sleep(0)
            quiet, seen = (quiet + 1, seen) if len(self._waiting) == seen else (0, len(self._waiting))

    def _next_orders(self) -> list[_Order]:
        orders: list[_Order] = []
        lines = 0
        while self._waiting:
            group = self._waiting[0]
            purchases, lines = len(orders) + len(group.commands), lines + group.lines
            if orders and (purchases > self._most_purchases or lines > self._most_lines):
                break
            self._waiting.popleft()
            if group.answered.cancelled():
                lines -= group.lines
            else:
                orders += [(group, place) for place in range(len(group.commands))]
        return orders

    async def _record(self, orders: Sequence[_Order], again: int) -> None:
        outcomes = await self._outcomes([group.commands[place] for group, place in orders], again)
        for (group, place), outcome in zip(orders, outcomes, strict=True):
            if outcome is None:
                self._left.append((group, place))
            else:
                group.tell(place, outcome)

    async def _outcomes(self, commands: Sequence[RecordPurchase], again: int) -> Sequence[Outcome | None]:
        try:
            return await self._work(commands, again)
        except Unavailable as away:
            return [_again(away) for _ in commands]
        # What nobody expected may come of one purchase alone: it must not fail its neighbours, and is told to its
        # own caller below.
        except Exception:
            log.exception("batch failed", purchases=len(commands))
            return [await self._alone(command) for command in commands]

    async def _alone(self, command: RecordPurchase) -> Outcome | None:
        try:
            return (await self._work([command], 1))[0]
        except Unavailable as away:
            return _again(away)
        except Exception as error:
            return error


def _again(away: Unavailable) -> Unavailable:
    """The same for each caller: an exception that several tasks raise would gather the tracebacks of all."""
    return Unavailable(away.detail, retry_after_s=away.retry_after_s)
