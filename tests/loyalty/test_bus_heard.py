"""What loyalty hears of customers: an identifier finds its owner, and what waited for them earns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest

from builders import ANNA, BEN, an_id
from loyalty.shop import IDENTIFIER_KEY, Shop
from regulars_contracts.envelope import envelope
from regulars_contracts.events import Event
from regulars_contracts.events.customer import IdentifierHash, IdentifierLinked, IdentifierUnlinked, Registered
from regulars_contracts.identifiers import Hasher, Identifier
from regulars_kit.bus import Message
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.handling import TRIES
from regulars_kit.inbox import Consumer
from regulars_kit.transactions import Transactions
from regulars_kit.values import utc_now
from regulars_loyalty.adapters.bus.heard import GROUP, TOPICS, handlers
from regulars_loyalty.application.ports import Begin, LoyaltyUnit, Raced

NOON = datetime(2026, 2, 11, 11, tzinfo=UTC)
CARD = {"card": "29 0000-0001"}
HASH = Hasher({"k1": bytes.fromhex(IDENTIFIER_KEY)}, "k1").hash(Identifier("card", "2900000001"))


async def hear(club: Shop, event: Event, customer_id: UUID = ANNA, event_id: UUID | None = None) -> object:
    """Hand an event of the customer service to the consumer, once; None when it is handled."""
    assert club.service.consumer is not None
    return await club.service.consumer.handle(a_message(event, customer_id, event_id))


def a_message(event: Event, customer_id: UUID = ANNA, event_id: UUID | None = None) -> Message:
    identity = event_id or an_id()
    body = envelope(event, source_service="customer", subject=customer_id, time=datetime.now(UTC), id=identity)
    return Message(identity, event.type, str(customer_id), body.to_bytes())


def linked(customer_id: UUID = ANNA) -> IdentifierLinked:
    return IdentifierLinked(customer_id=customer_id, kind="card", hash=HASH, occurred_at=NOON)


def registered(*hashes: str) -> Registered:
    return Registered(
        customer_id=ANNA,
        registered_at=NOON,
        identifiers=tuple(IdentifierHash(kind="card", hash=each) for each in hashes),
        source="till",
    )


async def test_a_purchase_by_an_unknown_card_earns_when_its_owner_is_known(club: Shop) -> None:
    sold = await club.sell(1000, customer=CARD)
    assert (sold["customer_id"], sold["earned"]) == (None, 0)
    assert await hear(club, linked()) is None
    assert await club.balance() == 10
    claimed = (await club.told())[-1]
    assert (claimed.type, claimed.subject) == ("loyalty.purchase_claimed.v1", str(ANNA))


async def test_a_registration_brings_all_its_identifiers(club: Shop) -> None:
    other = "k1:" + "0" * 64
    await club.sell(1000, customer=CARD)
    await hear(club, registered(other, HASH))
    assert await club.balance() == 10
    assert (await club.sell(1000, customer=CARD))["customer_id"] == str(ANNA)
    assert await club.count("identifiers") == 2


async def test_a_registration_without_identifiers_is_heard_too(club: Shop) -> None:
    assert await hear(club, registered()) is None
    assert await club.count("inbox") == 1


async def test_an_event_heard_twice_has_one_effect(club: Shop) -> None:
    await club.sell(1000, customer=CARD)
    event_id = an_id()
    for _ in range(2):
        assert await hear(club, linked(), event_id=event_id) is None
    assert await club.balance() == 10
    assert await club.count("inbox") == 1


async def test_an_unlinked_card_is_nobodys_and_keeps_what_it_earned(club: Shop) -> None:
    await hear(club, linked())
    await club.sell(1000, customer=CARD)
    await hear(club, IdentifierUnlinked(customer_id=ANNA, kind="card", hash=HASH, occurred_at=NOON))
    assert (await club.sell(1000, customer=CARD))["customer_id"] is None
    assert await club.balance() == 10


async def test_an_old_unlinking_takes_no_card_from_its_new_owner(club: Shop) -> None:
    await hear(club, linked(BEN), BEN)
    await hear(club, IdentifierUnlinked(customer_id=ANNA, kind="card", hash=HASH, occurred_at=NOON))
    assert (await club.sell(1000, customer=CARD))["customer_id"] == str(BEN)


async def test_an_event_that_does_not_fit_is_refused_for_good(club: Shop) -> None:
    body = b'{"specversion": "1.0"}'
    assert club.service.consumer is not None
    outcome = await club.service.consumer.handle(Message(an_id(), IdentifierLinked.type, str(ANNA), body))
    assert outcome is not None


async def test_points_are_redeemed_by_the_card_that_earned_them(club: Shop) -> None:
    await hear(club, linked())
    await club.sell(1000, customer=CARD)
    assert (await club.redeem(4, {"card": "2900000001"})).json()["balance"] == 6


UNLINKED = IdentifierUnlinked(customer_id=ANNA, kind="card", hash=HASH, occurred_at=NOON)


@pytest.mark.parametrize(("event", "postings"), [(registered(HASH), 1), (linked(), 1), (UNLINKED, 0)])
async def test_a_race_lost_more_often_than_an_event_is_tried_buries_nothing(
    club: Shop, event: Event, postings: int
) -> None:
    await club.sell(1000, customer=CARD)
    unlucky = Unlucky(club.service.app.state.loyalty.begin, losses=TRIES + 1)
    consumer = Consumer(MemoryBus(), GROUP, TOPICS, handlers(unlucky.deliver, utc_now), club.service.database)
    assert await consumer.handle(a_message(event)) is None
    assert unlucky.losses == 0
    assert await club.count("postings") == postings


class Unlucky:
    """Deliveries whose first transactions lose their race, as the victim of a deadlock does."""

    def __init__(self, begin: Transactions[LoyaltyUnit], losses: int) -> None:
        self._begin = begin
        self.losses = losses

    def deliver(self, event_id: UUID) -> Begin:
        begin = self._begin.for_delivery(GROUP, event_id)

        @asynccontextmanager
        async def race() -> AsyncIterator[LoyaltyUnit]:
            async with begin() as unit:
                yield unit
                if self.losses:
                    self.losses -= 1
                    raise Raced

        return race
