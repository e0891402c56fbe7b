"""What scoring hears of purchases and returns, in whatever order, is what the customer's state says."""

from __future__ import annotations

from builders import ANNA, BEN, an_id
from scoring.shop import Shop, a_claim, a_registration, a_return, a_sale, code_of

STATE = "SELECT occasions, total_minor, first_day::text, last_day::text, first_net_minor FROM customers WHERE id = '{}'"


async def state_of(shop: Shop, customer_id: object = ANNA) -> tuple[object, ...]:
    (row,) = await shop.rows(STATE.format(customer_id))
    return tuple(row)


async def test_purchases_of_one_day_are_one_occasion(shop: Shop) -> None:
    await shop.hear(a_sale(1000, "2026-02-10"), a_sale(500, "2026-02-10"), a_sale(700, "2026-03-02"))
    assert await state_of(shop) == (2, 2200, "2026-02-10", "2026-03-02", 1500)


async def test_a_purchase_that_comes_late_takes_its_place(shop: Shop) -> None:
    await shop.hear(a_sale(1000, "2026-03-02"), a_sale(500, "2026-02-10"))
    assert await state_of(shop) == (2, 1500, "2026-02-10", "2026-03-02", 500)


async def test_a_purchase_that_cost_nothing_is_an_occasion(shop: Shop) -> None:
    await shop.hear(a_sale(0, "2026-02-10"), a_sale(500, "2026-02-12"))
    assert await state_of(shop) == (2, 500, "2026-02-10", "2026-02-12", 0)


async def test_a_return_counts_on_its_purchases_day(shop: Shop) -> None:
    sale = a_sale(1000, "2026-02-10")
    await shop.hear(sale, a_sale(700, "2026-03-02"), a_return(400, sale, "2026-03-01"))
    assert await state_of(shop) == (2, 1300, "2026-02-10", "2026-03-02", 600)


async def test_a_purchase_that_came_back_whole_was_no_occasion(shop: Shop) -> None:
    first = a_sale(1000, "2026-02-10")
    await shop.hear(first, a_sale(700, "2026-03-02"), a_sale(100, "2026-04-02"))
    await shop.hear(a_return(600, first), a_return(400, first))
    assert await state_of(shop) == (2, 800, "2026-03-02", "2026-04-02", 700)


async def test_a_voided_receipt_was_no_occasion(shop: Shop) -> None:
    first, last = a_sale(0, "2026-02-10"), a_sale(700, "2026-03-02")
    await shop.hear(first, last, a_return(0, first, voided=True))
    assert await state_of(shop) == (1, 700, "2026-03-02", "2026-03-02", 700)
    await shop.hear(a_return(700, last, voided=True))
    assert await state_of(shop) == (0, 0, None, None, 0)


async def test_a_return_before_its_purchase_waits_for_it(shop: Shop) -> None:
    sale = a_sale(1000, "2026-02-10")
    await shop.hear(a_return(400, sale))
    assert await shop.rows("SELECT * FROM customers") == []
    await shop.hear(sale)
    assert await state_of(shop) == (1, 600, "2026-02-10", "2026-02-10", 600)


async def test_a_return_of_no_known_purchase_counts_on_its_own_day_and_is_no_occasion(shop: Shop) -> None:
    await shop.hear(a_sale(1000, "2026-02-10"), a_return(300, on="2026-03-01"))
    assert await state_of(shop) == (1, 700, "2026-02-10", "2026-02-10", 1000)


async def test_a_purchase_of_nobody_counts_once_it_is_claimed(shop: Shop) -> None:
    sale = a_sale(1000, customer_id=None)
    await shop.hear(sale, a_return(300, sale))
    assert await shop.rows("SELECT * FROM customers") == []
    await shop.hear(a_claim(sale), a_claim(sale, BEN))
    assert await state_of(shop) == (1, 700, "2026-02-10", "2026-02-10", 700)
    assert len(await shop.rows("SELECT * FROM customers")) == 1


async def test_a_claim_before_its_purchase_waits_for_it(shop: Shop) -> None:
    sale = a_sale(1000, customer_id=None)
    await shop.hear(a_claim(sale), sale)
    assert await state_of(shop) == (1, 1000, "2026-02-10", "2026-02-10", 1000)


async def test_what_is_heard_twice_counts_once(shop: Shop) -> None:
    sale, event_id = a_sale(1000), an_id()
    back, lost = a_return(300, sale), a_return(50)
    await shop.hear(sale, event_id=event_id)
    for _ in range(2):
        await shop.hear(sale, event_id=event_id)  # the bus again
        await shop.hear(sale, back, lost)  # told again, under other event ids
    assert await state_of(shop) == (1, 650, "2026-02-10", "2026-02-10", 700)


async def test_another_currency_is_an_occasion_and_no_money(shop: Shop) -> None:
    foreign = a_sale(9900, "2026-02-20", currency="USD")
    await shop.hear(a_sale(1000, "2026-02-10"), foreign, a_return(100, foreign), a_return(70, currency="USD"))
    assert await state_of(shop) == (2, 1000, "2026-02-10", "2026-02-20", 1000)
    assert await shop.rows("SELECT currency FROM house") == [("EUR",)]


async def test_a_registration_makes_a_customer_known(shop: Shop) -> None:
    assert code_of(await shop.send("GET", f"/v1/scores/{ANNA}")) == (404, "unknown_customer")
    await shop.hear(a_registration())
    assert code_of(await shop.send("GET", f"/v1/scores/{ANNA}")) == (404, "not_scored_yet")
    assert code_of(await shop.send("GET", f"/v1/scores/{BEN}/history")) == (404, "unknown_customer")


async def test_who_bought_before_they_were_registered_is_known_too(shop: Shop) -> None:
    await shop.hear(a_sale(), a_registration(), a_registration())
    assert await state_of(shop) == (1, 1999, "2026-02-10", "2026-02-10", 1999)
    assert code_of(await shop.send("GET", f"/v1/scores/{ANNA}")) == (404, "not_scored_yet")
