"""The law of the picture: whatever order events come in, however often, however many at once, it ends the same."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from conformance.rig import running
from customer.others import (
    a_balance,
    a_claim,
    a_purchase,
    a_return,
    a_score,
    a_tier,
    a_void,
    as_told,
    days_ago,
    entered,
    left,
    picture,
    timeline,
)
from customer.shop import Shop, a_verifier, settings_for
from regulars_contracts.events import Event, loyalty
from regulars_customer.adapters.db import listening as db
from regulars_customer.bootstrap import build
from regulars_customer.domain.life_cycle import History, Rules, stage_of
from regulars_kit.bus import Message
from regulars_kit.bus.memory import MemoryBus
from regulars_kit.service import Service
from regulars_kit.values import utc_now

TOPICS = ("regulars.loyalty", "regulars.scoring", "regulars.campaign")


@asynccontextmanager
async def listening(shop: Shop, together: int) -> AsyncIterator[MemoryBus]:
    """A customer service on the shop's database that hears what is published on the bus."""
    bus = MemoryBus()
    await bus.ensure_topics(TOPICS)
    settings = settings_for(shop.service.database.url, events_together=together)
    service: Service = build(settings, bus, a_verifier())
    assert service.consumer is not None
    async with running(service.consumer):
        yield bus
    await service.database.close()


async def publish(bus: MemoryBus, messages: Sequence[Message]) -> None:
    for message in messages:
        await bus.publish(f"regulars.{message.type.partition('.')[0]}", [message])


async def until_there_are(shop: Shop, count: int, table: str) -> None:
    """Return once the table has so many rows; the service commits when it likes to."""
    async with asyncio.timeout(30):
        while True:
            if await shop.count(table) >= count:
                return
            await asyncio.sleep(0.01)


class Year:
    """A year of a customer's, by chance: what they bought, found, brought back, and what became of it."""

    def __init__(self, customer: UUID, chance: random.Random) -> None:
        self.customer = customer
        self.bought: list[loyalty.PurchaseRecorded] = []
        self.voided: set[UUID] = set()
        self.net = 0
        self.told: list[Message] = []
        for seq in range(1, chance.randint(3, 9)):
            self._buy(chance, a_balance(seq * 10, seq=seq))
        standing: list[Event] = [entered(customer), left(customer), a_tier(customer, "silver"), a_tier(customer)]
        standing += [a_score(customer, word) for word in ("lost", "champions")]
        first = days_ago(1)
        self.told += [as_told(event, at=first + timedelta(seconds=at)) for at, event in enumerate(standing)]

    def _buy(self, chance: random.Random, balance: loyalty.Balance) -> None:
        at, total = days_ago(chance.randint(1, 900)), chance.randint(500, 9000)
        is_claimed = chance.random() < 0.4
        purchase = a_purchase(
            None if is_claimed else self.customer, at, total_minor=total, balance=None if is_claimed else balance
        )
        self.bought.append(purchase)
        self._tell(purchase)
        if is_claimed:
            self._tell(a_claim(purchase, self.customer).model_copy(update={"balance": balance}))
        match chance.randrange(4):
            case 0:
                self.voided.add(purchase.purchase_id)
                self._tell(a_void(purchase).model_copy(update={"balance": None}))
            case 1:
                self.net += total - 300
                self._tell(a_return(purchase, 100).model_copy(update={"balance": None}))
                self._tell(a_return(purchase, 200).model_copy(update={"balance": None}))
            case _:
                self.net += total

    def _tell(self, event: Event) -> None:
        self.told.append(as_told(event))

    def expected(self) -> dict[str, Any]:
        """The picture, reckoned the naive way."""
        counted = sorted(each.occurred_at for each in self.bought if each.purchase_id not in self.voided)
        first, last = (counted[0], counted[-1]) if counted else (None, None)
        history = History(len(counted), first, counted[-2] if len(counted) > 1 else None, last)
        return {
            "stage": stage_of(history, Rules(), utc_now()).value,
            "purchases": len(counted),
            "net_minor": {"EUR": self.net},
            "spendable": len(self.bought) * 10,
            "tier": "gold",
            "segments": [],
            "rfm_segment": "champions",
            "lines": Counter(message.type.split(".")[1] for message in self.told),
        }


async def found(shop: Shop, customer_id: str) -> dict[str, Any]:
    """The picture and the timeline, in the same words."""
    told = await picture(shop, customer_id)
    lines = Counter(item["kind"] for item in (await timeline(shop, customer_id, "?limit=200"))["items"])
    del lines["registered"], lines["stage_changed"]
    return {
        "stage": told["stage"]["value"]["stage"],
        "purchases": told["purchases"]["value"]["count"],
        "net_minor": told["purchases"]["value"]["net_minor"],
        "spendable": told["balances"]["value"][0]["spendable"],
        "tier": told["tiers"]["value"][0]["tier"],
        "segments": told["segments"]["value"],
        "rfm_segment": told["score"]["value"]["rfm_segment"],
        "lines": lines,
    }


async def the_picture_ends_the_same(shop: Shop, seed: int, together: int) -> None:
    """The law: four customers' years, shuffled, a third of it told twice, end in the picture reckoned naively."""
    chance = random.Random(seed)
    years = [Year(UUID(await shop.register()), chance) for _ in range(4)]
    once = [message for year in years for message in year.told]
    told = [*once, *chance.sample(once, len(once) // 3)]
    chance.shuffle(told)
    before = await shop.count("inbox")
    async with listening(shop, together) as bus:
        await publish(bus, told[: len(told) // 2])
        await publish(bus, told[len(told) // 2 :])
        await until_there_are(shop, before + len(once), "inbox")
    for year in years:
        picture_of = await found(shop, str(year.customer))
        # Whether a score was news depends on what was known when it came.
        expected = year.expected()
        assert 1 <= picture_of["lines"].pop("customer_scored") <= expected["lines"].pop("customer_scored")
        assert picture_of == expected
    assert await shop.count("dead_letters") == 0


@pytest.mark.parametrize("together", [1, 7, 200])
@pytest.mark.parametrize("seed", range(4))
async def test_the_picture_does_not_depend_on_the_order_of_what_is_told(shop: Shop, seed: int, together: int) -> None:
    await the_picture_ends_the_same(shop, seed, together)


@pytest.mark.parametrize(
    ("statement", "right", "wrong"),
    [
        ("_KEEP_PARTS", "WHERE parts.rank <= excluded.rank", ""),
        ("_KEEP_SALES", "sales.returned_minor + excluded.returned_minor", "excluded.returned_minor"),
        ("_KEEP_SALES", "coalesce(sales.net_minor, excluded.net_minor)", "sales.net_minor"),
        ("_GIVE_ENTRIES", "timeline.customer_id IS NULL", "false"),
    ],
    ids=["the last told holds", "returns do not add up", "a purchase told late is lost", "nobody is given their past"],
)
async def test_a_picture_that_depends_on_it_is_seen(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, statement: str, right: str, wrong: str
) -> None:
    sql = str(getattr(db, statement).text)
    assert right in sql
    monkeypatch.setattr(db, statement, text(sql.replace(right, wrong)))
    with pytest.raises(AssertionError):
        for seed in range(4):
            await the_picture_ends_the_same(shop, seed, 7)


async def test_a_broken_event_among_many_spoils_none_of_them(shop: Shop) -> None:
    customer_id = await shop.register()
    anna = UUID(customer_id)
    good = [as_told(a_purchase(anna)) for _ in range(9)]
    broken = as_told(a_tier(anna))
    spoiled = Message(broken.event_id, broken.type, broken.key, broken.body.replace(b'"gold"', b"7"))
    async with listening(shop, together=200) as bus:
        await publish(bus, [*good[:5], spoiled, *good[5:]])
        await until_there_are(shop, 9, "inbox")
        await until_there_are(shop, 1, "dead_letters")
    assert (await picture(shop, customer_id))["purchases"]["value"]["count"] == 9
    letters = (await shop.send("GET", "/v1/dead-letters")).json()["items"]
    assert [(letter["type"], letter["id"].partition("-")[0]) for letter in letters] == [
        ("loyalty.tier_changed.v1", "customer")
    ]
