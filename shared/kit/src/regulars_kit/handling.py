"""How one event is handled, and how many are in one commit: tried, given up, or kept for later.

What cannot succeed (does not parse, unknown version, a rule broken, a bug in a handler) is given up after three tries.
What may succeed later (database away, network) is never given up.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import structlog
from pydantic import AwareDatetime, BaseModel
from sqlalchemy.exc import DBAPIError

from regulars_kit.bus import Message
from regulars_kit.bus.metrics import HANDLED, REDELIVERED
from regulars_kit.db import Database
from regulars_kit.transactions import Redelivered, deliveries_together
from regulars_kit.values import Clock, Unavailable

Handler = Callable[[UUID, bytes], Awaitable[None]]
"""Takes an event id and the structured CloudEvents JSON. Commits the inbox row with its effect, or raises.

Its effect is what it does in the unit of `Transactions.for_delivery`. Anything else may be done again.
"""

TRIES = 3
_VERSIONED = re.compile(r"(?P<name>.+)\.v(?P<version>\d+)")
_log = structlog.get_logger(__name__)


class PermanentError(Exception):
    """Handling this event cannot succeed, now or later: three tries, then the dead letters."""


class Transient(Exception):
    """Carries what may pass by itself out of the handling of one event."""


class _Envelope(BaseModel):
    time: AwareDatetime


class Handling:
    """The handlers of a consumer group by event type. `max_age` None: no event is too old."""

    def __init__(
        self,
        group: str,
        handlers: Mapping[str, Handler],
        database: Database,
        clock: Clock,
        max_age: timedelta | None,
    ) -> None:
        self._group = group
        self._handlers = dict(handlers)
        self._names = {_name(type_) for type_ in handlers}
        self._database = database
        self._clock = clock
        self._max_age = max_age

    async def one(self, message: Message) -> tuple[str, int] | None:
        """Handle one event. None when that is done; (reason, tries) when it never will be. Raises `Transient`.

        An event of another version and one that is too old are not tried at all: (reason, 0).
        """
        handler = self._handlers.get(message.type)
        if handler is None:
            return (f"unknown version: {message.type}", 0) if self._is_other_version(message) else None
        reason = ""
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(random.uniform(0.01, 0.05))
            try:
                if self._is_too_old(message):
                    return f"older than {self._max_age}", 0
                await handler(message.event_id, message.body)
            except Redelivered:
                REDELIVERED.labels(self._group).inc()
                return None
            # A handler is foreign code to this loop: its bug is as permanent as a broken rule, and must not stop the
            # partition; the event and the reason are kept, and it is handled again once the handler is mended.
            except Exception as error:
                if is_transient(error):
                    raise Transient from error
                reason = f"{type(error).__name__}: {error}"
                continue
            HANDLED.labels(self._group).inc()
            return None
        return reason, TRIES

    async def together(self, messages: Sequence[Message]) -> bool:
        """Handle all of them in one transaction, in their order. False: none was, and each must be handled alone."""
        try:
            wanted = [message for message in messages if self._is_wanted(message)]
            redelivered = await self._deliver(wanted) if wanted else 0
        # Foreign code, as in `one`, which finds out whose fault it is and whether it may pass.
        except Exception as error:
            _log.info("events_handled_one_by_one", group=self._group, events=len(messages), cause=type(error).__name__)
            return False
        HANDLED.labels(self._group).inc(len(wanted) - redelivered)
        REDELIVERED.labels(self._group).inc(redelivered)
        return True

    async def _deliver(self, messages: Sequence[Message]) -> int:
        """How many had been handled before."""
        redelivered = 0
        async with deliveries_together(self._database, self._group, [message.event_id for message in messages]):
            for message in messages:
                try:
                    await self._handlers[message.type](message.event_id, message.body)
                except Redelivered:
                    redelivered += 1
        return redelivered

    def _is_wanted(self, message: Message) -> bool:
        """Has the event a handler here? Raises `PermanentError` for one that will never reach it."""
        if message.type in self._handlers:
            if self._is_too_old(message):
                raise PermanentError("too old")
            return True
        if self._is_other_version(message):
            raise PermanentError("unknown version")
        return False

    def _is_other_version(self, message: Message) -> bool:
        return _name(message.type) in self._names

    def _is_too_old(self, message: Message) -> bool:
        """By the envelope's `time`, when the fact was recorded. Raises `ValidationError` when there is none."""
        recorded_at: datetime = _Envelope.model_validate_json(message.body).time
        return self._max_age is not None and recorded_at < self._clock() - self._max_age


def _name(type_: str) -> str:
    """`loyalty.points_earned` of `loyalty.points_earned.v2`."""
    versioned = _VERSIONED.fullmatch(type_)
    return versioned["name"] if versioned else type_


def is_transient(error: Exception) -> bool:
    """May the same thing succeed later?"""
    if isinstance(error, Unavailable | OSError | asyncpg.InterfaceError | asyncpg.InternalClientError):
        return True
    origin = error.orig if isinstance(error, DBAPIError) else error
    # SQLSTATE classes: 08 connection, 40 deadlock and serialisation, 53 resources, 57 operator, 58 system;
    # 55P03 is a lock not had in time.
    state = str(getattr(origin, "sqlstate", None) or "")
    return state[:2] in {"08", "40", "53", "57", "58"} or state == "55P03"
