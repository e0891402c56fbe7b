"""The unit of work over one connection's transaction."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_kit import idempotency, outbox
from regulars_scoring.adapters.db.affinity import SqlAffinity
from regulars_scoring.adapters.db.customers import SqlCustomers
from regulars_scoring.adapters.db.house import HouseCache
from regulars_scoring.adapters.db.money import SqlMoney
from regulars_scoring.adapters.db.rfm_settings import keep_settings, read_settings
from regulars_scoring.adapters.db.runs import SqlRuns
from regulars_scoring.adapters.db.session import Session, ToMessage
from regulars_scoring.application.ports import Call, Insight, Started
from regulars_scoring.domain.facts import Fact
from regulars_scoring.domain.model import Model
from regulars_scoring.domain.rfm_settings import RfmSettings
from regulars_scoring.domain.runs import Run

_INSIGHT = "SELECT document || jsonb_build_object('run_id', run_id) AS document FROM insights WHERE name = $1"


# A merge may be committed between two statements of one answer.
AS_OF_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


class SqlUnit:
    """`to_message` puts a fact into the words of the bus; `first` is said before any statement."""

    def __init__(
        self, connection: AsyncConnection, cache: HouseCache, to_message: ToMessage, first: str | None = None
    ) -> None:
        self._session = Session(connection, first)
        self._cache = cache
        self._to_message = to_message
        self.customers = SqlCustomers(self._session)
        self.runs = SqlRuns(self._session)
        self.affinity = SqlAffinity(self._session)
        self.money = SqlMoney(self._session)

    async def model(self) -> Model | None:
        return await self._cache.models.serving(self._session)

    async def known_since(self) -> datetime | None:
        row = await self._session.first("SELECT known_since FROM house")
        return None if row is None else row["known_since"]

    async def rfm_settings(self) -> RfmSettings:
        return await read_settings(self._session)

    async def keep_rfm_settings(self, settings: RfmSettings) -> None:
        await keep_settings(self._session, settings)

    async def insight(self, name: str) -> Insight | None:
        row = await self._session.first(_INSIGHT, name)
        return None if row is None else row["document"]

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
