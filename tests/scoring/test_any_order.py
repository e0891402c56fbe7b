"""Events in any order, some of them twice, leave in the database what they leave in their own order."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

import pytest

from builders import ANNA, BEN
from regulars_contracts.events import Event
from regulars_contracts.events.scoring import CustomerScored
from scoring.shop import Shop, a_claim, a_registration, a_return, a_sale

STATES = """
    SELECT id, occasions, total_minor, first_day, last_day, first_net_minor FROM customers ORDER BY id
"""
BATCH = """
    SELECT customer_id, count(*) FILTER (WHERE open_purchases > 0), sum(net_minor)::bigint,
           min(day) FILTER (WHERE open_purchases > 0), max(day) FILTER (WHERE open_purchases > 0),
           coalesce((array_agg(net_minor ORDER BY day) FILTER (WHERE open_purchases > 0))[1], 0)
    FROM days GROUP BY customer_id ORDER BY customer_id
"""
DAYS = "SELECT * FROM days WHERE (net_minor, open_purchases) <> (0, 0) ORDER BY customer_id, day"


def a_story(anna: UUID = ANNA, ben: UUID = BEN) -> list[Event]:
    """Half a year of Anna and Ben: whole and partial returns, a void, a claim, other money, and a return of nothing."""
    sales = [a_sale(100 * (number + 1), f"2026-0{1 + number % 3}-1{number % 4}", anna) for number in range(9)]
    bens = [
        a_sale(500, "2026-01-05", ben),
        a_sale(0, "2026-02-05", ben),
        a_sale(800, "2026-03-05", ben, currency="CHF"),
    ]
    unknown = a_sale(900, "2026-01-02", customer_id=None)
    return [
        *sales,
        *bens,
        a_registration(anna),
        unknown,
        a_claim(unknown, anna),
        a_return(100, unknown),
        a_return(sales[0].total_minor, sales[0]),
        a_return(50, sales[1]),
        a_return(sales[1].total_minor - 50, sales[1]),
        a_return(30, sales[8]),
        a_return(sales[5].total_minor, sales[5], voided=True),
        a_return(500, bens[0]),
        a_return(77, on="2026-02-20", customer_id=anna),
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_with_doubles_ends_in_the_same_state(shop: Shop, seed: int) -> None:
    # The first purchase settles the currency that money is counted in.
    opening = a_sale(1, "2026-06-01", ANNA)
    story = a_story()
    chance = random.Random(seed)
    mixed = story + chance.sample(story, 8)
    chance.shuffle(mixed)
    await shop.hear(opening, *mixed)
    states, days = await shop.rows(STATES), await shop.rows(DAYS)
    assert states == await shop.rows(BATCH)
    async with shop.service.database.transaction() as connection:
        await connection.exec_driver_sql("TRUNCATE purchases, returns, days, customers")
    await shop.hear(opening, *story)
    assert (await shop.rows(STATES), await shop.rows(DAYS)) == (states, days)


async def test_purchases_heard_side_by_side_lose_nothing(shop: Shop) -> None:
    sales = [a_sale(100, f"2026-03-{1 + number % 9:02}") for number in range(24)]
    await asyncio.gather(*(shop.hear(sale) for sale in [*sales, *sales[:8]]))
    assert await shop.rows(STATES) == await shop.rows(BATCH)
    assert await shop.rows("SELECT occasions, total_minor, version FROM customers") == [(9, 2400, 24)]


async def test_a_purchase_its_claim_and_its_return_heard_side_by_side_count_once(shop: Shop) -> None:
    sales = [a_sale(1000, "2026-03-01", customer_id=None) for _ in range(8)]
    events = [event for sale in sales for event in (a_claim(sale), a_return(300, sale), sale, a_claim(sale))]
    await asyncio.gather(*(shop.hear(event) for event in events))
    assert await shop.rows("SELECT occasions, total_minor FROM customers") == [(1, 8 * 700)]


async def test_a_claim_that_waits_for_the_first_purchase_of_all_counts_its_money(shop: Shop) -> None:
    sale = a_sale(1000, "2026-03-01", customer_id=None)
    async with shop.service.database.transaction() as connection:
        # The purchase is heard, and not committed.
        await connection.exec_driver_sql(f"""
            INSERT INTO purchases (purchase_id, day, currency, total_minor, returned_minor, is_returned, is_voided)
            VALUES ('{sale.purchase_id}', '{sale.business_date}', '{sale.currency}', 1000, 0, false, false)
        """)
        await connection.exec_driver_sql(f"INSERT INTO house (currency) VALUES ('{sale.currency}')")
        claiming = asyncio.create_task(shop.hear(a_claim(sale)))
        while not await shop.rows("SELECT pid FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await claiming
    assert await shop.rows("SELECT occasions, total_minor FROM customers") == [(1, 1000)]


async def test_purchases_during_a_publication_and_it_leave_the_same_figures(scored: Shop) -> None:
    customers = [UUID(str(event.data["customer_id"])) for event in await scored.told(CustomerScored.type)]
    await scored.takes_the_last_run_up_again("UPDATE customers SET scored_run = NULL")
    buying = (scored.hear(a_sale(5000, "2026-06-30", customer)) for customer in customers[::3])
    await asyncio.gather(scored.work(), *buying)
    last = {event.data["customer_id"]: event.data for event in await scored.told(CustomerScored.type)}
    for customer in customers:
        live, said = await scored.score(customer), last[str(customer)]
        assert (said["decile"], said["clv_major"]) == (live["decile"], round(live["clv"]))
