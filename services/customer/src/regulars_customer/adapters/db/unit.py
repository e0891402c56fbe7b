"""The unit of work over one connection's transaction."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_customer.adapters.db.announcing import ToMessage, announce
from regulars_customer.adapters.db.customers import SqlCustomers
from regulars_customer.adapters.db.picture import SqlPicture
from regulars_customer.application.ports import Call, Registered
from regulars_customer.domain.facts import Fact
from regulars_kit import idempotency
from regulars_kit.values import CustomerId


@dataclass(frozen=True, slots=True)
class SqlUnit:
    """`to_message` puts a fact into the words of the bus."""

    connection: AsyncConnection
    to_message: ToMessage

    @property
    def customers(self) -> SqlCustomers:
        return SqlCustomers(self.connection)

    @property
    def picture(self) -> SqlPicture:
        return SqlPicture(self.connection)

    async def announce(self, facts: Sequence[Fact]) -> None:
        await announce(self.connection, facts, self.to_message)

    async def once(self, call: Call, work: Callable[[], Awaitable[Registered]]) -> Registered:
        async def registered() -> tuple[int, bytes]:
            return 201, _kept(await work())

        answer = await idempotency.once(self.connection, call.client, call.key, call.content_hash, registered)
        return _told(answer.body, is_replayed=answer.replayed)


def _kept(registered: Registered) -> bytes:
    receipt = {
        "id": str(registered.customer_id),
        "registered_at": registered.registered_at.isoformat(),
        "version": registered.version,
    }
    return json.dumps(receipt).encode()


def _told(body: bytes, *, is_replayed: bool) -> Registered:
    receipt = json.loads(body)
    return Registered(
        CustomerId(UUID(receipt["id"])),
        datetime.fromisoformat(receipt["registered_at"]),
        receipt["version"],
        is_replayed,
    )
