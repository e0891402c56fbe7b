"""Many events in one commit leave what they leave one by one; and what is said is what all of them amount to."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

import pytest
from sqlalchemy import text

from builders import ANNA, BEN
from regulars_contracts.events import Event
from regulars_contracts.events.scoring import ChurnRiskRaised, CustomerScored
from regulars_kit.bus import Message
from regulars_scoring.adapters.db import listening as db
from scoring.opening import hear_together
from scoring.shop import TODAY, Shop, a_claim, a_registration, a_sale
from scoring.test_any_order import BATCH, STATES, a_story

CARL = UUID("0ca41000-0000-4000-8000-000000000003")
DORA = UUID("0d04a000-0000-4000-8000-000000000004")
TWINS = ((ANNA, CARL), (BEN, DORA))

# All that is stored of a customer, but for how often it was, and when it was told.
CUSTOMER = "SELECT to_jsonb(customers) - '{{id,version,scored_run}}'::text[] FROM customers WHERE id = '{}'"
LEDGER = """
    SELECT day, net_minor, open_purchases FROM days
    WHERE customer_id = '{}' AND (net_minor, open_purchases) <> (0, 0) ORDER BY day
"""
HISTORY = """
    SELECT to_jsonb(score_history) - '{{id,customer_id,scored_at}}'::text[] FROM score_history
    WHERE customer_id = '{}' ORDER BY id
"""
SALES = """
    SELECT customer_id, day, currency, total_minor, returned_minor, is_returned, is_voided FROM purchases
    WHERE purchase_id = ANY('{{{}}}'::uuid[]) ORDER BY day, total_minor, returned_minor
"""


def mixed(story: list[Event], seed: int) -> list[Event]:
    """The story in disorder, a part of it told twice."""
    chance = random.Random(seed)
    events = story + chance.sample(story, 8)
    chance.shuffle(events)
    return events


def sales_of(events: list[Event]) -> str:
    return ",".join({str(event.purchase_id) for event in events if getattr(event, "purchase_id", None)})  # type: ignore[attr-defined]


async def said_of(shop: Shop, customer_id: UUID, type_: str = CustomerScored.type) -> list[dict[str, object]]:
    apart = {"customer_id", "scored_at"}
    told = [event.data for event in await shop.told(type_) if event.data["customer_id"] == str(customer_id)]
    return [{name: value for name, value in data.items() if name not in apart} for data in told]


Told = list[Event]


async def tell_singly(shop: Shop, seed: int) -> Told:
    """A story of Anna and Ben, event by event."""
    told = mixed(a_story(ANNA, BEN), seed)
    await shop.hear(*told)
    return told


async def tell_together(shop: Shop, seed: int, together: int) -> Told:
    """The same of Carl and Dora, so many events in a commit."""
    told = mixed(a_story(CARL, DORA), seed)
    await hear_together(shop, *map(shop.as_told, told), together=together)
    return told


async def the_same_is_left(shop: Shop, singly: Told, at_once: Told) -> None:
    """The law: of two pairs of twins with the same story."""
    for one, other in TWINS:
        for query in (CUSTOMER, LEDGER):
            assert await shop.rows(query.format(one)) == await shop.rows(query.format(other))
        histories = [[row[0] for row in await shop.rows(HISTORY.format(each))] for each in (one, other)]
        assert histories[1][-1:] == histories[0][-1:]
        each_in_its_order = iter(histories[0])
        assert all(entry in each_in_its_order for entry in histories[1])
        assert len(await said_of(shop, other)) == len(histories[1])
    owners = {ANNA: CARL, BEN: DORA}
    known = [[owners.get(row[0], row[0]), *row[1:]] for row in await shop.rows(SALES.format(sales_of(singly)))]
    assert known == [list(row) for row in await shop.rows(SALES.format(sales_of(at_once)))]


@pytest.mark.parametrize(("seed", "together"), [(0, 2), (1, 5), (2, 5), (3, 13), (4, 200), (5, 200)])
async def test_many_events_in_a_commit_leave_what_they_leave_one_by_one(scored: Shop, seed: int, together: int) -> None:
    await the_same_is_left(scored, await tell_singly(scored, seed), await tell_together(scored, seed, together))


@pytest.mark.parametrize(
    ("statement", "right", "wrong"),
    [
        ("_KEEP_PURCHASES", "mine.returned_minor + excluded.returned_minor", "excluded.returned_minor"),
        ("_KEEP_PURCHASES", "coalesce(mine.customer_id, excluded.customer_id)", "mine.customer_id"),
        ("_KEEP_PURCHASES", "coalesce(mine.total_minor, excluded.total_minor)", "mine.total_minor"),
        ("_POST", "mine.net_minor + excluded.net_minor", "excluded.net_minor"),
    ],
    ids=["returns do not add up", "a claim is lost", "a purchase told late is lost", "a day has one purchase"],
)
async def test_a_statement_that_joins_wrongly_is_seen(
    scored: Shop, monkeypatch: pytest.MonkeyPatch, statement: str, right: str, wrong: str
) -> None:
    sql = getattr(db, statement)
    assert right in sql
    with pytest.raises(AssertionError):
        for seed in range(4):
            singly = await tell_singly(scored, seed)
            with monkeypatch.context() as spoiled:
                spoiled.setattr(db, statement, sql.replace(right, wrong))
                at_once = await tell_together(scored, seed, together=2)
            await the_same_is_left(scored, singly, at_once)


async def test_of_many_purchases_in_a_commit_one_score_is_said(scored: Shop) -> None:
    sales = [a_sale(1000 * number, f"2026-06-{10 + number}") for number in range(1, 9)]
    await hear_together(scored, *map(scored.as_told, sales))
    (said,) = await said_of(scored, ANNA)
    live = await scored.score()
    assert (said["rfm"], said["decile"], said["clv_major"]) == (live["rfm"], live["decile"], round(live["clv"]))
    assert await scored.rows(f"SELECT version FROM customers WHERE id = '{ANNA}'") == [(1,)]


async def test_no_alarm_is_raised_for_who_is_back_before_it_is_said(scored: Shop) -> None:
    old = [a_sale(100, f"2026-01-0{day}") for day in (6, 7, 8)]
    await hear_together(scored, *map(scored.as_told, [*old, *(a_sale(100, f"2026-06-{day}") for day in range(10, 30))]))
    assert (await scored.score())["churn_band"] != "high"
    assert await said_of(scored, ANNA, ChurnRiskRaised.type) == []


async def test_an_alarm_is_raised_once_for_all_in_a_commit(scored: Shop) -> None:
    await hear_together(scored, *map(scored.as_told, [a_sale(100 + number, "2026-01-06") for number in range(4)]))
    assert (await scored.score())["churn_band"] == "high"
    assert len(await said_of(scored, ANNA, ChurnRiskRaised.type)) == 1


async def test_a_broken_event_among_many_spoils_none_of_them(scored: Shop) -> None:
    good = [scored.as_told(a_sale(100 * number, f"2026-06-{10 + number}")) for number in range(1, 10)]
    broken = scored.as_told(a_sale(4711))
    spoiled = Message(broken.event_id, broken.type, broken.key, broken.body.replace(b"4711", b'"much"'))
    await hear_together(scored, *good[:5], spoiled, *good[5:])
    assert await scored.rows(f"SELECT occasions, total_minor FROM customers WHERE id = '{ANNA}'") == [(9, 4500)]
    assert await scored.rows("SELECT event_id FROM dead_letters") == [(broken.event_id,)]


async def test_what_the_database_refuses_among_many_spoils_none_of_them(scored: Shop) -> None:
    async with scored.service.database.transaction() as connection:
        await connection.execute(text("ALTER TABLE days ADD CHECK (net_minor <> 4711)"))
    messages = [scored.as_told(a_sale(net, f"2026-06-{10 + place}")) for place, net in enumerate((100, 200, 4711, 300))]
    await hear_together(scored, *messages)
    assert await scored.rows(f"SELECT occasions, total_minor FROM customers WHERE id = '{ANNA}'") == [(3, 600)]
    assert await scored.rows("SELECT event_id FROM dead_letters") == [(messages[2].event_id,)]
    assert await scored.rows(f"SELECT count(*) FROM purchases WHERE customer_id = '{ANNA}'") == [(3,)]


async def test_registrations_alone_need_no_purchase_and_the_first_holds(shop: Shop) -> None:
    await hear_together(shop, *map(shop.as_told, [a_registration(), a_registration(BEN), a_registration()]))
    assert await shop.rows("SELECT count(*), count(registered_at) FROM customers") == [(2, 2)]


async def test_a_claim_alone_waits_in_a_shop_that_has_sold_nothing(shop: Shop) -> None:
    sale = a_sale(1000, customer_id=None)
    await hear_together(shop, shop.as_told(a_claim(sale)))
    assert await shop.rows("SELECT * FROM customers") == await shop.rows("SELECT * FROM house") == []
    await hear_together(shop, shop.as_told(sale))
    assert await shop.rows("SELECT id, total_minor FROM customers") == [(ANNA, 1000)]


async def test_members_that_hear_the_same_in_different_orders_count_it_once(shop: Shop) -> None:
    story = [shop.as_told(event) for event in [*a_story(ANNA, BEN), *a_story(CARL, DORA)]]
    again = [Message(UUID(int=number), *_told(message)) for number, message in enumerate(story, 1)]
    await asyncio.gather(
        hear_together(shop, *story, together=7),
        hear_together(shop, *reversed(story), together=9),
        hear_together(shop, *reversed(again), together=11),
    )
    assert await shop.rows(STATES) == await shop.rows(BATCH)
    assert await shop.rows("SELECT * FROM dead_letters") == []
    for one, other in TWINS:
        assert await shop.rows(LEDGER.format(one)) == await shop.rows(LEDGER.format(other))


def _told(message: Message) -> tuple[str, str, bytes]:
    return message.type, message.key, message.body


async def test_many_purchases_during_a_publication_and_it_leave_the_same_figures(scored: Shop) -> None:
    customers = [UUID(str(event.data["customer_id"])) for event in await scored.told(CustomerScored.type)]
    await scored.takes_the_last_run_up_again("UPDATE customers SET scored_run = NULL")
    sales = [scored.as_told(a_sale(5000, TODAY, customer)) for customer in customers[::3]]
    await asyncio.gather(
        scored.work(), hear_together(scored, *sales[::2], together=5), hear_together(scored, *sales[1::2])
    )
    last = {event.data["customer_id"]: event.data for event in await scored.told(CustomerScored.type)}
    for customer in customers:
        live, said = await scored.score(customer), last[str(customer)]
        assert (said["decile"], said["clv_major"]) == (live["decile"], round(live["clv"]))
