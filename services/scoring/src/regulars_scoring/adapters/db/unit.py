"""The unit of work over one connection's transaction."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_kit import idempotency, outbox
from regulars_scoring.adapters.db.customers import SqlCustomers
from regulars_scoring.adapters.db.house import HouseCache
from regulars_scoring.adapters.db.money import SqlMoney
from regulars_scoring.adapters.db.runs import SqlRuns
from regulars_scoring.adapters.db.session import Session, ToMessage
from regulars_scoring.application.ports import Call, Started
from regulars_scoring.domain.facts import Fact
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.runs import Run


class SqlUnit:
    """`to_message` puts a fact into the words of the bus."""

    def __init__(self, connection: AsyncConnection, cache: HouseCache, to_message: ToMessage) -> None:
        self._session = Session(connection)
        self._cache = cache
        self._to_message = to_message
        self.customers = SqlCustomers(self._session)
        self.runs = SqlRuns(self._session)
        self.money = SqlMoney(self._session)

    async def model(self) -> Model | None:
        return await self._cache.models.serving(self._session)

    async def known_since(self) -> datetime | None:
        row = await self._session.first("SELECT known_since FROM house")
        return None if row is None else row["known_since"]

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
