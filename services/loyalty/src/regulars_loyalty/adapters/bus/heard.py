"""What this service hears from the customer service: whose cards, phones and e-mail addresses are whose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from regulars_contracts.envelope import parse
from regulars_contracts.events.customer import IdentifierLinked, IdentifierUnlinked, Registered
from regulars_kit.inbox import Handler
from regulars_kit.values import Clock
from regulars_loyalty.application.link_identifiers import link_identifiers
from regulars_loyalty.application.ports import Begin
from regulars_loyalty.application.unlink_identifier import unlink_identifier

GROUP = "regulars-loyalty"
TOPICS = ("regulars.customer",)

Deliver = Callable[[UUID], Begin]
"""Transactions for one delivery of the event with this id: its inbox row is in their commit."""


def handlers(deliver: Deliver, now: Clock) -> Mapping[str, Handler]:
    """Event type -> its handler. A handler raises ValueError for an event that does not fit its type."""

    async def registered(event_id: UUID, body: bytes) -> None:
        event = Registered.model_validate(parse(body).data)
        hashes = [identifier.hash for identifier in event.identifiers]
        await link_identifiers(hashes, event.customer_id, deliver(event_id), now)

    async def linked(event_id: UUID, body: bytes) -> None:
        event = IdentifierLinked.model_validate(parse(body).data)
        await link_identifiers([event.hash], event.customer_id, deliver(event_id), now)

    async def unlinked(event_id: UUID, body: bytes) -> None:
        event = IdentifierUnlinked.model_validate(parse(body).data)
        await unlink_identifier(event.hash, event.customer_id, deliver(event_id))

    return {Registered.type: registered, IdentifierLinked.type: linked, IdentifierUnlinked.type: unlinked}
