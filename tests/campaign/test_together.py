"""Events that share a commit come out as if each had been heard alone, whatever is among them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from campaign.happenings import ANNA, BEN, alarmed, balance_changed, bought, claimed, registered, returned
from campaign.shop import Shop, a_verifier, settings_for
from campaign.tables import empty, forget_what_was_heard
from campaign.worlds import CUSTOMERS, World, rules, worlds
from conformance.rig import running
from regulars_campaign.adapters.bus.heard import TOPICS
from regulars_campaign.adapters.db.session import Session
from regulars_campaign.bootstrap import build
from regulars_contracts.events import Event
from regulars_kit.bus import Message
from regulars_kit.bus.memory import MemoryBus

SPENT_20 = {"purchases": {"sum": "net_minor", "currency": "EUR"}, "gte": 2000}
NEVER_BOUGHT = {"none": [{"purchases": {"count": True}, "gte": 1}]}
KEPT = ("customers", "consents", "accounts", "scores", "purchases", "returns", "rollups", "totals", "members")


async def publish(bus: MemoryBus, messages: Sequence[Message]) -> None:
    for message in messages:
        await bus.publish(f"regulars.{message.type.partition('.')[0]}", [message])


@asynccontextmanager
async def hearing(
    shop: Shop, messages: Sequence[Message], together: int = 200, members: int = 1
) -> AsyncIterator[None]:
    """Members of the consumer's group that find these messages on the bus; the block ends before they do."""
    bus = MemoryBus()
    await bus.ensure_topics(TOPICS)
    await publish(bus, messages)
    said = settings_for(shop.service.database.url, events_together=together)
    services = [build(said, bus, a_verifier(), shop.clock) for _ in range(members)]
    async with running(*(service.consumer for service in services if service.consumer)):
        yield
    for service in services:
        await service.database.close()


async def until_there_are(shop: Shop, count: int, table: str = "inbox") -> None:
    """Return once the table has so many rows; the service commits when it likes to."""
    async with asyncio.timeout(30):
        while True:
            if await shop.count(table) >= count:
                return
            await asyncio.sleep(0.01)


async def hear_together(shop: Shop, events: Sequence[Event], together: int = 200) -> None:
    """Let the events be handled, as many of them in one commit as may be."""
    if events:
        async with hearing(shop, [shop.message(event) for event in events], together):
            await until_there_are(shop, len(events))
    assert await shop.count("dead_letters") == 0


async def what_is_kept(shop: Shop) -> dict[str, list[str]]:
    """All that was made of the events, row by row, but for what nobody can foresee."""
    told = {table: f"SELECT CAST({table} AS text) FROM {table} ORDER BY 1" for table in KEPT}
    told["messages"] = "SELECT CAST((campaign_id, step, customer_id, state) AS text) FROM messages ORDER BY 1"
    async with shop.service.database.transaction() as connection:
        return {name: list(await connection.scalars(text(query))) for name, query in told.items()}


@settings(
    max_examples=15,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(
    world=worlds(),
    documents=st.lists(rules, min_size=3, max_size=3),
    alarms=st.lists(st.sampled_from(CUSTOMERS), max_size=3),
    together=st.sampled_from([2, 5, 200]),
)
async def test_events_in_one_commit_come_out_as_one_by_one(
    shop: Shop, world: World, documents: list[dict[str, Any]], alarms: list[UUID], together: int
) -> None:
    await empty(shop.service.database)
    for place, document in enumerate(documents):
        await shop.segment(document, f"s{place}")
    await shop.campaign()
    events: list[Event] = [*world.events, *(alarmed(customer) for customer in alarms)]
    for event in events:
        assert await shop.hear(event) is None, event
    expected = await what_is_kept(shop)
    await forget_what_was_heard(shop.service.database)
    await hear_together(shop, events, together)
    assert await what_is_kept(shop) == expected


async def test_whoever_is_new_is_judged_by_every_rule_among_many(shop: Shop) -> None:
    segments = [await shop.segment(NEVER_BOUGHT, "never"), await shop.segment(SPENT_20, "spent")]
    strangers = [uuid4() for _ in range(3)]
    await hear_together(shop, [bought(ANNA, ("shoes", 2500)), *(balance_changed(stranger) for stranger in strangers)])
    assert [await shop.members(segment) for segment in segments] == [set(strangers), {ANNA}]


async def test_who_comes_and_goes_within_one_commit_is_not_announced(shop: Shop) -> None:
    segment = await shop.segment(SPENT_20)
    sale = bought(ANNA, ("shoes", 2500))
    await hear_together(shop, [sale, returned(sale, ("1", 2500), voided=True)])
    assert await shop.members(segment) == set()
    assert await shop.told() == []


async def test_each_customer_who_alarms_or_enters_gets_one_message(shop: Shop) -> None:
    await shop.segment(SPENT_20)
    await shop.campaign(code="win-back")
    await shop.campaign({"kind": "segment_entered", "segment": "vip"}, code="welcome")
    sale = bought(None, ("shoes", 2500))
    events = [alarmed(ANNA), bought(ANNA, ("shoes", 2500)), alarmed(BEN), alarmed(ANNA), sale, claimed(sale, BEN)]
    await hear_together(shop, events)
    per_customer = [len(await shop.messages(customer_id=customer)) for customer in (ANNA, BEN)]
    assert per_customer == [2, 2]
    assert len(await shop.told()) == 2, "both entered"


async def test_a_broken_event_in_the_middle_stops_nobody(shop: Shop) -> None:
    segment = await shop.segment(SPENT_20)
    customers = [uuid4() for _ in range(8)]
    messages = [shop.message(bought(customer, ("shoes", 2500))) for customer in customers]
    broken = shop.message(bought(ANNA))
    body = broken.body.replace(b'"total_minor":1999', b'"total_minor":"much"')
    assert body != broken.body
    messages.insert(4, Message(broken.event_id, broken.type, broken.key, body))
    async with hearing(shop, messages):
        await until_there_are(shop, 8)
        await until_there_are(shop, 1, "dead_letters")
    assert await shop.members(segment) == set(customers)
    assert await shop.count("purchases") == len(await shop.told()) == 8, "each once"


async def test_two_members_that_hear_of_the_same_customers_at_once_wait_for_each_other(shop: Shop) -> None:
    segment = await shop.segment({"all": [SPENT_20, {"trait": "country", "eq": "DE"}]})
    customers = [uuid4() for _ in range(15)]
    events: list[Event] = []
    for customer in customers:
        sale = bought(None, ("shoes", 1500))
        events += [sale, bought(customer, ("shoes", 1500)), registered(customer, country="DE")]
        events += [claimed(sale, customer), balance_changed(customer, 7, 3), returned(sale, ("1", 200), customer=None)]
    deadlocks = await deadlocks_until_now(shop)
    async with hearing(shop, [shop.message(event) for event in events], together=10, members=2):
        await until_there_are(shop, len(events))
    assert await shop.members(segment) == set(customers)
    assert await shop.count("dead_letters") == 0
    assert await deadlocks_until_now(shop) == deadlocks


async def deadlocks_until_now(shop: Shop) -> int:
    async with shop.service.database.transaction() as connection:
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        return int(await connection.scalar(text(query)) or 0)


async def test_many_customers_take_as_few_statements_as_a_few(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.segment(SPENT_20)
    said: list[str] = []
    fetch, execute = Session.fetch, Session.execute

    async def fetched(self: Session, statement: str, *values: object) -> Any:
        said.append(statement)
        return await fetch(self, statement, *values)

    async def executed(self: Session, statement: str, *values: object) -> None:
        said.append(statement)
        await execute(self, statement, *values)

    monkeypatch.setattr(Session, "fetch", fetched)
    monkeypatch.setattr(Session, "execute", executed)
    counts = []
    for number in (3, 60):
        before = await shop.count("inbox")
        async with hearing(shop, [shop.message(bought(uuid4(), ("shoes", 2500))) for _ in range(number)]):
            await until_there_are(shop, before + number)
        counts.append(len(said))
        said.clear()
    assert counts[0] == counts[1] > 0
