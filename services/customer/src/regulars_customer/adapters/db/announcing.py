"""How facts of our own leave: an event in the outbox, and a line of the timeline under the same id."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from regulars_customer.adapters.db.entries import add_entries
from regulars_customer.domain.facts import Fact
from regulars_customer.domain.timeline import entry_of
from regulars_kit import outbox
from regulars_kit.bus import Message

ToMessage = Callable[[Fact], Message]
"""Puts a fact into the words of the bus."""


async def announce(connection: AsyncConnection, facts: Sequence[Fact], to_message: ToMessage) -> None:
    """In this transaction, in this order. The customers' rows are locked by it already."""
    told = [(fact, to_message(fact)) for fact in facts]
    await outbox.append(connection, [message for _, message in told])
    entries = (entry_of(fact, message.event_id) for fact, message in told)
    await add_entries(connection, [entry for entry in entries if entry])
