"""What a customer has brought and cost, and what is left of their value once it is paid for; with its arithmetic."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from builders import ANNA, an_id
from regulars_contracts.events import Event
from scoring.costs_shop import (
    a_bonus,
    a_costed_return,
    a_costed_sale,
    a_message,
    a_programme,
    an_adjustment,
    expired,
    won,
)
from scoring.shop import Shop, a_claim, a_return, a_sale

MONTHS_PAID = sum(1.01**-month for month in range(1, 13))


def annas_story() -> list[Event]:
    mixed = a_costed_sale((1000, 600), (500, None), on="2026-02-10", earned=15)
    return [
        a_programme(margin_rate="0.4", point_value="0.01"),
        won(1500),
        mixed,
        a_costed_sale((999, None), on="2026-03-02", earned=9),
        a_costed_return(mixed, (1000, 600), taken_back=10),
        a_message(2),
        expired(4),
    ]


async def historic(shop: Shop, **asked: str) -> dict[str, Any]:
    told = (await shop.score(ANNA, **asked))["historic"]
    assert isinstance(told, dict)
    return told


async def test_a_customer_is_worth_what_is_left_of_their_margin(scored: Shop) -> None:
    await scored.hear(*annas_story())
    assert await historic(scored) == {
        "revenue_minor": 1499,  # 1500 + 999 - 1000
        "margin_minor": 600,  # 500 x 0.4 = 200, 999 x 0.4 = 399.6, rounded
        "margin_of": "margin_rate",  # what had a cost has come back
        "line_cost_revenue_minor": 0,
        "margin_rate_revenue_minor": 1499,
        "points_cost_minor": 10,  # 15 + 9 - 10 taken back - 4 expired, a cent each
        "campaign_cost_minor": 2,
        "acquisition_cost_minor": 1500,
        "profit_minor": -912,  # 600 - 10 - 2 - 1500
    }


async def test_the_value_is_net_of_what_it_costs_to_attract_and_to_retain(scored: Shop) -> None:
    await scored.hear(*annas_story())
    score = await scored.score()
    net, clv = score["net_value"], score["clv"]
    assert (net["margin_share"], net["points_share"]) == pytest.approx((600 / 1499, 10 / 1499))
    assert (net["margin"], net["points_cost"]) == pytest.approx((clv * 600 / 1499, clv * 10 / 1499))
    # A message of 2 cents in the 149 days since 1 February: 0.4 cents a month, for twelve months.
    assert net["campaign_cost"] == pytest.approx(0.02 / (149 / 30) * MONTHS_PAID)
    assert net["acquisition_left"] == pytest.approx(9.12)  # 15.00 - (6.00 - 0.10 - 0.02)
    assert net["value"] == pytest.approx(net["margin"] - net["points_cost"] - net["campaign_cost"] - 9.12)
    assert (net["shares_of"], net["is_unprofitable"]) == ("own_past", net["value"] < 0)
    assert score["value_of"] == "revenue", "the published figure stays what it is"


async def test_points_that_come_back_of_a_purchase_whose_points_nobody_told_cost_nothing_less(scored: Shop) -> None:
    sale = a_costed_sale((1000, 600), earned=15)
    await scored.hear(a_programme(), sale)
    async with scored.service.database.transaction() as connection:
        # As one that was recorded before points were heard of.
        await connection.execute(text("UPDATE purchases SET earned = NULL WHERE total_minor = 1000"))
    await scored.hear(a_costed_return(sale, (500, 300), taken_back=7))
    assert (await historic(scored))["points_cost_minor"] == 0


async def test_messages_of_more_than_a_year_ago_do_not_go_on(scored: Shop) -> None:
    await scored.hear(a_sale(1000, "2025-01-10"), a_message(100, "2025-07-05"), a_message(12, "2025-07-06"))
    # The last 360 days until 30 June 2026 begin with the second: 12 cents in twelve months.
    assert (await scored.score())["net_value"]["campaign_cost_a_month"] == pytest.approx(0.01)


async def test_who_costs_more_than_they_will_ever_bring_shows_as_unprofitable(scored: Shop) -> None:
    await scored.hear(a_costed_sale((1000, 600), on="2026-02-10"))
    assert (await scored.score())["net_value"]["is_unprofitable"] is False
    await scored.hear(won(10_000_00))
    after = (await scored.score())["net_value"]
    assert (after["is_unprofitable"], after["acquisition_left"]) == (True, 9_996.0)


async def test_what_winning_a_customer_cost_is_charged_once_and_never_again(scored: Shop) -> None:
    await scored.hear(a_costed_sale((10_000, 4_000), on="2026-02-10"), won(1500), won(1500))
    score = await scored.score()
    assert (score["historic"]["acquisition_cost_minor"], score["historic"]["profit_minor"]) == (1500, 4500)
    assert score["net_value"]["acquisition_left"] == 0, "60.00 of margin has paid for it"


async def test_goods_sold_below_their_cost_leave_a_loss(scored: Shop) -> None:
    await scored.hear(a_costed_sale((1000, 1250), on="2026-02-10"))
    told = await scored.score()
    assert (told["historic"]["margin_minor"], told["historic"]["margin_of"]) == (-250, "line_cost")
    assert told["net_value"]["value"] == pytest.approx(-0.25 * told["clv"])
    assert told["net_value"]["is_unprofitable"]


async def test_without_a_cost_or_a_rate_revenue_counts_as_margin_and_the_answer_says_so(scored: Shop) -> None:
    await scored.hear(a_costed_sale((1000, None), on="2026-02-10", earned=10))
    told = await historic(scored)
    assert (told["revenue_minor"], told["margin_minor"], told["margin_of"]) == (1000, 1000, "revenue")
    assert told["points_cost_minor"] == 0, "nobody has said what a point is worth"
    await scored.hear(a_programme(margin_rate=None))
    assert (await historic(scored))["margin_of"] == "revenue"
    assert (await historic(scored))["points_cost_minor"] == 10


async def test_a_rate_is_that_of_the_day_and_the_first_one_counts_before_it_too(scored: Shop) -> None:
    await scored.hear(
        a_costed_sale((1000, None), on="2026-01-10"),
        a_costed_sale((1000, None), on="2026-02-10"),
        a_costed_sale((1000, None), on="2026-03-10"),
        a_costed_sale((1000, None), on="2026-03-10", programme="another"),
        a_programme("0.5", effective_from="2026-03-10", version=3),
        a_programme("0.4", effective_from="2026-02-10", version=1),
        a_programme("1/3", effective_from="2026-02-10", version=2),
    )
    # 333 + 333 + 500; of the other programme nothing is known, so 1000.
    told = await historic(scored)
    assert (told["margin_minor"], told["margin_of"], told["margin_rate_revenue_minor"]) == (2166, "mixed", 3000)
    then = await historic(scored, as_of="2026-02-28")
    assert (then["revenue_minor"], then["margin_minor"]) == (2000, 666)


@pytest.mark.parametrize(("net", "margin"), [(1, 1), (3, 2), (5, 3), (-1, -1), (-3, -2)])
async def test_half_a_cent_is_rounded_away_from_nothing(scored: Shop, net: int, margin: int) -> None:
    told = [a_costed_sale((net, None))] if net > 0 else [a_sale(0), a_return(-net)]
    await scored.hear(a_programme("0.5"), *told)
    assert (await historic(scored))["margin_minor"] == margin


async def test_foreign_money_counts_nothing_and_its_points_do(scored: Shop) -> None:
    await scored.hear(
        a_programme(), a_costed_sale((1000, 600), currency="USD", earned=10), won(500, currency="USD"), a_message(None)
    )
    told = await historic(scored)
    assert (told["revenue_minor"], told["margin_minor"], told["points_cost_minor"]) == (0, 0, 10)
    assert told["profit_minor"] == -10


async def test_a_customer_without_revenue_is_expected_to_yield_like_everybody(scored: Shop) -> None:
    model_of_all = a_programme("0.25")
    await scored.hear(model_of_all, a_sale(0))
    before = (await scored.score())["net_value"]
    assert (before["shares_of"], before["margin_share"]) == ("everybody", 1.0), "the run knew of no rate"
    await scored.run()
    after = (await scored.score())["net_value"]
    assert (after["shares_of"], after["margin_share"]) == ("everybody", pytest.approx(0.25, abs=1e-3))


async def test_points_given_otherwise_cost_the_same(scored: Shop) -> None:
    await scored.hear(a_programme(point_value="0.005"), a_costed_sale((1000, 600)))
    await scored.hear(a_bonus(100), an_adjustment(-30), an_adjustment(50, seq=12), expired(21))
    # Each is rounded by itself: 50 - 15 + 25 - 10.5.
    assert (await historic(scored))["points_cost_minor"] == 49


async def test_a_claimed_purchase_brings_its_costs_and_its_points(scored: Shop) -> None:
    sale = a_costed_sale((1000, 600), (500, None), customer_id=None)
    claim = a_claim(sale).model_copy(update={"earned": 15, "taken_back": 5})
    await scored.hear(a_programme(), a_costed_return(sale, (500, None)), claim, sale, claim)
    told = await historic(scored)
    assert (told["revenue_minor"], told["margin_minor"], told["points_cost_minor"]) == (1000, 400, 10)


async def test_what_is_told_twice_costs_once(scored: Shop) -> None:
    story = annas_story()
    await scored.hear(*story)
    once = await historic(scored)
    await scored.hear(*story)
    assert await historic(scored) == once


async def test_costs_of_a_message_that_are_not_known_are_not_kept(scored: Shop) -> None:
    await scored.hear(a_message(None), a_message(0), a_costed_sale((1000, 600)))
    assert await scored.rows("SELECT * FROM costs") == []


async def test_a_rate_of_nothing_below_the_line_is_refused_for_good(scored: Shop) -> None:
    assert await scored.hand(a_programme("1/0"), an_id()) is not None
    assert await scored.rows("SELECT * FROM terms") == []


async def test_a_score_of_another_day_knows_the_costs_until_then(scored: Shop) -> None:
    await scored.hear(*annas_story())
    then = await historic(scored, as_of="2026-03-01")
    # The return counts on its purchase's day; neither the second purchase nor the message has been.
    assert (then["revenue_minor"], then["margin_minor"], then["points_cost_minor"]) == (500, 200, 5)
    assert (then["campaign_cost_minor"], then["acquisition_cost_minor"]) == (0, 1500)


async def test_a_cost_before_anything_is_bought_waits_for_its_customer(shop: Shop) -> None:
    await shop.hear(a_message(2), expired(1))
    assert await shop.rows("SELECT * FROM customers") == []
    assert await shop.rows("SELECT customer_id, amount_minor FROM costs") == [(ANNA, 2)]
