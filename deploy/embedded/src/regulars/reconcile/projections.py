"""What is compared with what: a projection of each service, and the feed with every service's outbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from regulars.reconcile import statements
from regulars.reconcile.comparing import Outcome, Row, compared
from regulars.reconcile.sources import Sources
from regulars_kit.values import utc_now

_PREFETCH = 2_000
_FEED = timedelta(days=29)
"""The outboxes drop whole days after 30 and the feed forgets what came 30 days ago: so far both have everything."""


@dataclass(frozen=True, slots=True)
class Projection:
    """`told` is asked of the database `by`, `known` of the database `of`; `given` finds what both are given."""

    name: str
    by: str
    told: str
    of: str
    known: str
    given: Callable[[Sources], Awaitable[object]]

    async def compare(self, sources: Sources) -> Outcome:
        """Raises `CannotLook`."""
        given = await self.given(sources)
        async with sources.reading(self.by) as facts, sources.reading(self.of) as projection:
            return await compared(self.name, _rows(facts, self.told, given), _rows(projection, self.known, given))


async def _rows(connection: Any, statement: str, given: object) -> AsyncIterator[Row]:
    async for row in connection.cursor(statement, given, prefetch=_PREFETCH):
        yield row["who"], row["figure"], row["said"]


def _asked(database: str, statement: str) -> Callable[[Sources], Awaitable[object]]:
    async def ask(sources: Sources) -> object:
        async with sources.reading(database) as connection:
            return await connection.fetchval(statement)

    return ask


async def _since(_: Sources) -> object:
    return first_id_of(utc_now() - _FEED)


def first_id_of(at: datetime) -> UUID:
    """No id (UUIDv7) that is made from this instant on is below it."""
    return UUID(int=(int(at.timestamp() * 1000) << 80) | (0x7 << 76) | (0x2 << 62))


def _feed_of(service: str) -> Projection:
    known = statements.KNOWN_TO_FEED.format(service=service)
    return Projection(f"feed of {service}", service, statements.TOLD_BY_OUTBOX, "gateway", known, _since)


_TIERS = _asked("loyalty", statements.LOWEST_TIERS)
_CURRENCY = _asked("scoring", statements.REPORTING_CURRENCY)
SERVICES = ("customer", "loyalty", "scoring", "campaign", "gateway")

CUSTOMER = Projection(
    "customer", "loyalty", statements.TOLD_TO_CUSTOMER, "customer", statements.KNOWN_TO_CUSTOMER, _TIERS
)
SCORING = Projection(
    "scoring", "loyalty", statements.TOLD_TO_SCORING, "scoring", statements.KNOWN_TO_SCORING, _CURRENCY
)
CAMPAIGN = Projection(
    "campaign", "loyalty", statements.TOLD_TO_CAMPAIGN, "campaign", statements.KNOWN_TO_CAMPAIGN, _TIERS
)
PROJECTIONS = (CUSTOMER, SCORING, CAMPAIGN, *map(_feed_of, SERVICES))
