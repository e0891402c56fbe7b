"""The unit of work over one connection's transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_gateway.adapters.db.claims import SqlClaims
from regulars_gateway.adapters.db.deliveries import SqlDeliveries
from regulars_gateway.adapters.db.endpoints import SqlEndpoints
from regulars_gateway.adapters.db.feed import SqlFeed
from regulars_gateway.adapters.db.keys import SqlKeys
from regulars_gateway.application.ports import Call
from regulars_gateway.domain.facts import EndpointDisabled
from regulars_kit import idempotency, outbox
from regulars_kit.bus import Message

ToMessage = Callable[[EndpointDisabled], Message]


@dataclass(frozen=True, slots=True)
class SqlUnit:
    """`to_message` puts a fact into the words of the bus; `consumer` names the rows of the inbox."""

    connection: AsyncConnection
    to_message: ToMessage
    consumer: str

    @property
    def keys(self) -> SqlKeys:
        return SqlKeys(self.connection)

    @property
    def endpoints(self) -> SqlEndpoints:
        return SqlEndpoints(self.connection)

    @property
    def deliveries(self) -> SqlDeliveries:
        return SqlDeliveries(self.connection, self.consumer)

    @property
    def claims(self) -> SqlClaims:
        return SqlClaims(self.connection)

    @property
    def feed(self) -> SqlFeed:
        return SqlFeed(self.connection)

    async def announce(self, facts: Sequence[EndpointDisabled]) -> None:
        await outbox.append(self.connection, [self.to_message(fact) for fact in facts])

    async def once(self, call: Call, work: Callable[[], Awaitable[UUID]]) -> tuple[UUID, bool]:
        async def made() -> tuple[int, bytes]:
            # The id alone: a secret is shown once, and kept nowhere.
            return 201, str(await work()).encode()

        answer = await idempotency.once(self.connection, call.client, call.key, call.content_hash, made)
        return UUID(answer.body.decode()), answer.replayed
