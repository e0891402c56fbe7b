"""The unit of work over one connection's transaction."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_kit import idempotency, outbox
from regulars_kit.bus import Message
from regulars_scoring.adapters.db.customers import SqlCustomers
from regulars_scoring.adapters.db.facts import SqlFacts
from regulars_scoring.adapters.db.models import ModelCache
from regulars_scoring.adapters.db.runs import SqlRuns
from regulars_scoring.adapters.db.session import Session
from regulars_scoring.application.ports import Call, Started
from regulars_scoring.domain.facts import Fact
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.runs import Run

ToMessage = Callable[[Fact], Message]

_SET_CURRENCY = "INSERT INTO house (currency) VALUES ($1) ON CONFLICT DO NOTHING"


@dataclass(slots=True)
class HouseCache:
    """What a process remembers of the installation: the model that serves, and the currency once it is settled.

    `preferred_currency` is what money is counted in from the first purchase on; None: the first one seen.
    """

    models: ModelCache
    preferred_currency: str | None = None
    currency: str | None = None


class SqlUnit:
    """`to_message` puts a fact into the words of the bus."""

    def __init__(self, connection: AsyncConnection, cache: HouseCache, to_message: ToMessage) -> None:
        self._session = Session(connection)
        self._cache = cache
        self._to_message = to_message
        self.facts = SqlFacts(self._session)
        self.customers = SqlCustomers(self._session, cache.models)
        self.runs = SqlRuns(self._session)

    async def model(self) -> Model | None:
        return await self._cache.models.serving(self._session)

    async def known_since(self) -> datetime | None:
        row = await self._session.first("SELECT known_since FROM house")
        return None if row is None else row["known_since"]

    async def reporting_currency(self, seen: str) -> str:
        if self._cache.currency is None:
            row = await self._session.first("SELECT currency FROM house")
            if row is None:
                return await self._settle_currency(self._cache.preferred_currency or seen)
            self._cache.currency = row["currency"]
        return self._cache.currency

    async def _settle_currency(self, currency: str) -> str:
        # Not remembered before it is committed: the transaction may yet be rolled back.
        await self._session.execute(_SET_CURRENCY, currency)
        row = await self._session.first("SELECT currency FROM house")
        return currency if row is None else str(row["currency"])

    async def announce(self, facts: Sequence[Fact]) -> None:
        await outbox.append(self._session.connection, [self._to_message(fact) for fact in facts])

    async def once(self, call: Call, work: Callable[[], Awaitable[Run]]) -> Started:
        async def started() -> tuple[int, bytes]:
            return 202, _kept(await work())

        answer = await idempotency.once(self._session.connection, call.client, call.key, call.content_hash, started)
        return _told(answer.body, is_replayed=answer.replayed)


def _kept(run: Run) -> bytes:
    return json.dumps({"run_id": str(run.id), "job_id": run.job_id, "as_of": run.as_of.isoformat()}).encode()


def _told(body: bytes, *, is_replayed: bool) -> Started:
    kept = json.loads(body)
    return Started(UUID(kept["run_id"]), kept["job_id"], date.fromisoformat(kept["as_of"]), is_replayed)
