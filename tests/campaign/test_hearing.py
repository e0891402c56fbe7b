"""What the others tell arrives in any order, twice, late, or about somebody nobody registered, and comes out right."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from campaign.happenings import (
    ANNA,
    BEN,
    a_balance,
    alarmed,
    balance_changed,
    bought,
    claimed,
    consented,
    registered,
    returned,
    scored,
    staged,
    tier_changed,
    traits_changed,
)
from campaign.shop import NOON, Shop
from regulars_campaign.adapters.db.unit import SqlUnit
from regulars_contracts.events import Event
from regulars_contracts.events.loyalty import PointsEarned, PointsExpired, PointsSpent
from regulars_kit.bus import Message

YESTERDAY = NOON - timedelta(days=1)
SPENT_20 = {"purchases": {"sum": "net_minor", "currency": "EUR"}, "gte": 2000}
BACK_5 = {"returns": {"sum": "net_minor", "currency": "EUR", "where": {"category": "shoes"}}, "gte": 500}


async def who(shop: Shop, rule: dict[str, Any]) -> list[str]:
    return list((await shop.preview(rule))["sample"])


async def test_a_purchase_before_its_customer_is_registered_counts(shop: Shop) -> None:
    await shop.hear(bought(ANNA, ("shoes", 2500)))
    await shop.hear(registered(ANNA, YESTERDAY, country="DE"))
    assert await who(shop, {"all": [SPENT_20, {"trait": "country", "eq": "DE"}]}) == [str(ANNA)]


@pytest.mark.parametrize(
    ("newer", "older", "rule"),
    [
        (traits_changed(country="DE"), registered(at=YESTERDAY, country="AT"), {"trait": "country", "eq": "DE"}),
        (consented(granted=True), consented(granted=False, at=YESTERDAY), {"consent": "marketing/email"}),
        (staged(stage="loyal"), staged(stage="lapsed", at=YESTERDAY), {"stage": {"eq": "loyal"}}),
        (tier_changed(tier="gold"), tier_changed(tier="base", at=YESTERDAY), {"tier": {"eq": "gold"}}),
        (balance_changed(points=7, seq=9), balance_changed(points=8, seq=8), {"balance": {"eq": 7}}),
        (scored(decile=1), scored(decile=9, at=YESTERDAY), {"score": "decile", "eq": 1}),
    ],
)
async def test_of_two_states_the_newer_holds_in_whatever_order(
    shop: Shop, newer: Event, older: Event, rule: dict[str, Any]
) -> None:
    for order in itertools.permutations([newer, older]):
        for event in order:
            await shop.hear(event)
        assert await who(shop, rule) == [str(ANNA)]


async def test_a_purchase_its_claim_and_its_return_come_in_any_order(shop: Shop) -> None:
    for number, order in enumerate(itertools.permutations(range(3)), 1):
        customer = uuid4()
        sale = bought(None, ("shoes", 2500), ("socks", 500))
        facts: list[Event] = [sale, claimed(sale, customer), returned(sale, ("1", 700), customer=None)]
        for place in order:
            await shop.hear(facts[place])
        assert len(await who(shop, SPENT_20)) == number, order
        assert len(await who(shop, BACK_5)) == number, order


async def test_nobodys_purchase_is_nobodys(shop: Shop) -> None:
    await shop.hear(bought(None))
    await shop.hear(returned(None, (None, 500), customer=None))
    assert (await shop.preview({"none": [{"balance": {"gte": 0}}]}))["count"] == 0


async def test_a_cancelled_receipt_was_no_purchase_and_no_return(shop: Shop) -> None:
    sale = bought(ANNA, ("shoes", 2500))
    for order in ([0, 1], [1, 0]):
        facts: list[Event] = [sale, returned(sale, ("1", 2500), voided=True)]
        for place in order:
            await shop.hear(facts[place])
        assert await who(shop, {"purchases": {"count": True}, "gte": 1}) == []
        assert await who(shop, {"returns": {"count": True}, "gte": 1}) == []


async def test_a_return_without_a_receipt_is_one_return(shop: Shop) -> None:
    sales = [bought(ANNA, ("shoes", 2500)), bought(ANNA, ("shoes", 1000))]
    return_id = uuid4()
    parts = [returned(sale, ("1", 300), return_id=return_id) for sale in sales]
    for event in [*sales, *parts, returned(None, (None, 50), return_id=return_id)]:
        await shop.hear(event)
    assert await who(shop, {"returns": {"count": True}, "eq": 1}) == [str(ANNA)]
    assert await who(shop, {"returns": {"max": "net_minor", "currency": "EUR"}, "eq": 650}) == [str(ANNA)]
    assert await who(shop, BACK_5) == [str(ANNA)], "300 and 300 of the shoes"


async def test_an_event_heard_twice_counts_once(shop: Shop) -> None:
    event_id = uuid4()
    sale = bought(ANNA, ("shoes", 1500))
    for _ in range(2):
        await shop.hear(sale, event_id)
    await shop.hear(sale)
    assert await who(shop, {"purchases": {"count": True}, "eq": 1}) == [str(ANNA)]
    assert await who(shop, SPENT_20) == []


async def test_the_balance_comes_with_whatever_moved_it(shop: Shop) -> None:
    account = {"customer_id": ANNA, "programme": "club", "wallet": "points", "occurred_at": NOON}
    events: list[tuple[int, Event]] = [
        (10, bought(balance=a_balance(10, 1))),
        (35, PointsEarned(**account, balance=a_balance(35, 2), points=25, origin="bonus")),
        (15, PointsSpent(**account, balance=a_balance(15, 3), points=20, redemption_id=uuid4())),
        (5, PointsExpired(**account, balance=a_balance(5, 4), points=10)),
        (-3, balance_changed(points=-3, seq=5)),
    ]
    for points, event in events:
        assert await shop.hear(event) is None
        assert await who(shop, {"balance": {"eq": points}}) == [str(ANNA)]


async def test_programmes_are_kept_apart(shop: Shop) -> None:
    await shop.hear(balance_changed(points=50, programme="club"))
    await shop.hear(balance_changed(points=5, programme="spa"))
    await shop.hear(tier_changed(tier="gold", programme="spa"))
    assert await who(shop, {"balance": {"gte": 50, "programme": "spa"}}) == []
    assert await who(shop, {"balance": {"gte": 50}}) == [str(ANNA)]
    assert await who(shop, {"tier": {"eq": "gold", "programme": "spa"}}) == [str(ANNA)]
    assert await who(shop, {"tier": {"eq": "gold", "programme": "club"}}) == []


async def test_a_member_of_a_category_counts_by_its_part_alone(shop: Shop) -> None:
    await shop.hear(bought(ANNA, ("shoes", 300), ("socks", 900), ("shoes", 100)))
    await shop.hear(bought(BEN, ("socks", 5000)))
    shoes = {"sum": "net_minor", "currency": "EUR", "where": {"category": ["shoes"]}}
    assert await who(shop, {"purchases": shoes, "eq": 400}) == [str(ANNA)]
    both = {**shoes, "where": {"category": ["shoes", "socks"]}}
    assert await who(shop, {"purchases": both, "gte": 1300}) == [str(ANNA), str(BEN)]


async def test_what_happened_and_who_may_hear_of_it_are_one_commit(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed in the middle of an event, nothing of it stands, and it is handled whole the next time."""
    segment = await shop.segment({"trait": "country", "eq": "DE"}, code="germans")
    await shop.campaign({"kind": "segment_entered", "segment": "germans"})
    announce = SqlUnit.announce

    async def die(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(SqlUnit, "announce", die)
    event_id = uuid4()
    with pytest.raises(asyncio.CancelledError):
        await shop.hear(registered(country="DE"), event_id)
    assert [await shop.count(table) for table in ("customers", "members", "messages", "inbox")] == [0, 0, 0, 0]
    monkeypatch.setattr(SqlUnit, "announce", announce)
    await shop.hear(registered(country="DE"), event_id)
    assert await shop.members(segment) == {ANNA}
    assert [await shop.count(table) for table in ("customers", "members", "messages", "inbox")] == [1, 1, 1, 1]


async def test_an_event_that_does_not_fit_is_refused_for_good(shop: Shop) -> None:
    assert shop.service.consumer is not None
    broken = Message(uuid4(), "customer.registered.v1", str(ANNA), b'{"specversion": "1.0"}')
    assert await shop.service.consumer.handle(broken) is not None
    later = Message(uuid4(), "customer.registered.v2", str(ANNA), b"{}")
    assert await shop.service.consumer.handle(later) == ("unknown version: customer.registered.v2", 0)


async def test_an_alarm_about_somebody_unknown_is_heard(shop: Shop) -> None:
    campaign = await shop.campaign()
    assert await shop.hear(alarmed(uuid4())) is None
    assert (await shop.get(f"/v1/campaigns/{campaign}"))["messages"]["waiting"] == 1
