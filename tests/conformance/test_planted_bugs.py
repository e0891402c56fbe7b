"""Tests of the tests: each law passes on the real thing and goes red on a planted bug."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from conformance import laws
from conformance.shop import a_sale
from regulars_kit import outbox
from regulars_kit.bus import Received, Subscription
from regulars_kit.db import Database
from regulars_kit.inbox import Consumer
from regulars_kit.relay import Relay


class CommitsItsOffsetFirst(Consumer):
    async def _handle_in_order(
        self, subscription: Subscription, place: tuple[str, int], events: Iterable[Received], stop: asyncio.Event
    ) -> None:
        events = list(events)
        await subscription.commit(*place, events[-1].offset + 1)
        await super()._handle_in_order(subscription, place, events, stop)


async def test_the_offset_follows_the_handlers_commit(shop: Database) -> None:
    await laws.a_crash_before_the_handlers_commit_loses_nothing(Consumer, shop)


async def test_an_offset_committed_before_the_handlers_commit_is_seen(shop: Database) -> None:
    with pytest.raises(AssertionError):
        await laws.a_crash_before_the_handlers_commit_loses_nothing(CommitsItsOffsetFirst, shop)


class ReadsOnFromTheLastId(Relay):
    last = 0

    async def unsent(self, connection: asyncpg.Connection[Any]) -> list[Any]:
        rows = await connection.fetch(
            "SELECT id, event_id, type, key, body, created_on FROM outbox WHERE id > $1 ORDER BY id", self.last
        )
        self.last = rows[-1]["id"] if rows else self.last
        return list(rows)


async def test_a_late_commit_is_published(shop: Database) -> None:
    await laws.a_transaction_that_commits_late_is_published_too(Relay, shop)


async def test_an_outbox_read_by_id_greater_than_last_is_seen(shop: Database) -> None:
    with pytest.raises(AssertionError):
        await laws.a_transaction_that_commits_late_is_published_too(ReadsOnFromTheLastId, shop)


async def sell_and_announce(shop: Database, key: str, number: int) -> None:
    async with shop.transaction() as connection:
        await connection.execute(text("INSERT INTO handled (key, number) VALUES (:k, :n)"), {"k": key, "n": number})
        await outbox.append(connection, [a_sale(key, number)])


async def sell_and_forget_to_announce(shop: Database, key: str, number: int) -> None:
    async with shop.transaction() as connection:
        await connection.execute(text("INSERT INTO handled (key, number) VALUES (:k, :n)"), {"k": key, "n": number})
        if number != 1:
            await outbox.append(connection, [a_sale(key, number)])


async def test_every_fact_is_announced_in_its_own_commit(shop: Database) -> None:
    await laws.every_fact_has_its_event(sell_and_announce, shop)


async def test_a_commit_without_its_outbox_row_is_seen(shop: Database) -> None:
    with pytest.raises(AssertionError, match="customer-1"):
        await laws.every_fact_has_its_event(sell_and_forget_to_announce, shop)
