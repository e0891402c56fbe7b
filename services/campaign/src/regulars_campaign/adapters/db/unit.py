"""The unit of work over one connection's transaction."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_campaign.adapters.db.campaigns import SqlCampaigns
from regulars_campaign.adapters.db.deeds import SqlDeeds
from regulars_campaign.adapters.db.judge import SqlJudge
from regulars_campaign.adapters.db.messages import SqlMessages
from regulars_campaign.adapters.db.projection import SqlProjection
from regulars_campaign.adapters.db.segments import SqlSegments
from regulars_campaign.adapters.db.session import Session
from regulars_campaign.adapters.db.templates import SqlTemplates
from regulars_campaign.application.ports import Call, Made
from regulars_campaign.domain.facts import Fact
from regulars_campaign.domain.heard import Heard
from regulars_campaign.domain.segments import SegmentId
from regulars_kit import idempotency, outbox
from regulars_kit.bus import Message
from regulars_kit.jobs import submit_job

ToMessage = Callable[[Fact], Message]

SERVICE = "campaign"
BUILD_SEGMENT = "build_segment"
"""The kind of job that judges everybody for a new segment; its payload is `{"segment_id"}`."""


class SqlUnit:
    """`to_message` puts a fact into the words of the bus."""

    def __init__(self, connection: AsyncConnection, to_message: ToMessage) -> None:
        self.connection = connection
        self._session = Session(connection)
        self._to_message = to_message

    @property
    def customers(self) -> SqlProjection:
        return SqlProjection(self._session)

    @property
    def deeds(self) -> SqlDeeds:
        return SqlDeeds(self._session)

    @property
    def segments(self) -> SqlSegments:
        return SqlSegments(self.connection, self._session)

    @property
    def judge(self) -> SqlJudge:
        return SqlJudge(self.connection)

    @property
    def templates(self) -> SqlTemplates:
        return SqlTemplates(self.connection)

    @property
    def campaigns(self) -> SqlCampaigns:
        return SqlCampaigns(self.connection)

    @property
    def messages(self) -> SqlMessages:
        return SqlMessages(self.connection, self._session)

    async def announce(self, facts: Sequence[Fact]) -> None:
        await outbox.append(self.connection, [self._to_message(fact) for fact in facts])

    async def once(self, call: Call, work: Callable[[], Awaitable[Made]]) -> Made:
        async def made() -> tuple[int, bytes]:
            thing = await work()
            return 201, json.dumps({"id": str(thing.id), "version": thing.version}).encode()

        answer = await idempotency.once(self.connection, call.client, call.key, call.content_hash, made)
        kept = json.loads(answer.body)
        return Made(UUID(kept["id"]), kept["version"], answer.replayed)

    async def ask_for_build(self, segment_id: SegmentId, client: str) -> None:
        await submit_job(self.connection, SERVICE, BUILD_SEGMENT, {"segment_id": str(segment_id)}, client=client)


class SqlListening(SqlUnit):
    """The unit of what is heard."""

    def __init__(self, connection: AsyncConnection, to_message: ToMessage) -> None:
        super().__init__(connection, to_message)
        self.noted: list[Heard] = []

    def note(self, heard: Sequence[Heard]) -> None:
        self.noted += heard
