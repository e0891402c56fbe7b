"""The laws of the arithmetic of money: sums, net values, retention."""

from __future__ import annotations

from dataclasses import astuple
from datetime import date
from itertools import permutations
from math import isfinite
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ANNA, an_id
from regulars_kit.values import CustomerId
from regulars_scoring.domain.costs import LineCosts
from regulars_scoring.domain.grid import DEFAULT_GRID
from regulars_scoring.domain.profit import MONTHS_PAID, NetValue, Past, Profit, Shares, net_value, shares_of
from regulars_scoring.domain.purchases import Claim, Purchase, Return, Sale, told_of_purchases
from regulars_scoring.domain.retention import ANNUAL_RATE, Kept, Worth, Year, lifetime_worth, worth_of
from regulars_scoring.domain.segment_profit import CellProfit, by_month, by_segment, total

minor = st.integers(-(10**9), 10**9)
costs = st.integers(0, 10**7)
profits = st.builds(Profit, minor, minor, minor, minor, costs, costs, costs)
scores = st.one_of(st.tuples(st.integers(1, 5), st.integers(1, 5)), st.just((None, None)))
months = st.integers(1, 12).map(lambda month: date(2026, month, 1))
cells = st.lists(
    st.tuples(months, scores, profits).map(lambda told: CellProfit(told[0], told[1][0], told[1][1], told[2])),
    max_size=40,
)
shares = st.builds(Shares, st.floats(-2, 1), st.floats(0, 0.5))
rates = st.floats(0, 1)


@given(cells)
def test_segments_and_months_add_up_to_the_whole_to_the_last_minor_unit(told: list[CellProfit]) -> None:
    whole = total(cell.profit for cell in told)
    assert total(by_segment(told, DEFAULT_GRID).values()) == whole
    assert total(total(by_segment(inside, DEFAULT_GRID).values()) for inside in by_month(told).values()) == whole
    assert whole.profit_minor == sum(cell.profit.profit_minor for cell in told)
    assert tuple(by_segment(told, DEFAULT_GRID)) == (*DEFAULT_GRID.segments, None)


@given(profits, profits, profits)
def test_sums_do_not_depend_on_their_order(one: Profit, two: Profit, three: Profit) -> None:
    assert (one + two) + three == three + (two + one)
    assert astuple(one + Profit()) == astuple(one)


@given(st.permutations(range(5)), st.lists(st.tuples(costs, costs, st.integers(0, 50)), min_size=3, max_size=3))
def test_what_is_told_of_a_purchases_costs_joins_in_any_order(order: list[int], back: list[tuple[int, ...]]) -> None:
    purchase_id, anna = an_id(), CustomerId(ANNA)
    told: list[Sale | Claim | Return] = [
        Sale(purchase_id, None, date(2026, 2, 1), "EUR", 9000, programme="club", line_costs=LineCosts(5000, 3000)),
        Claim(purchase_id, anna, 40),
        *(_a_return(purchase_id, LineCosts(net, cost), points) for net, cost, points in back),
    ]
    whole = told_of_purchases(told)[purchase_id]
    one_by_one = Purchase()
    for place in order:
        one_by_one = one_by_one.joined(told_of_purchases([told[place]])[purchase_id])
    assert one_by_one == whole
    assert (whole.programme, whole.line_costs, whole.earned) == ("club", LineCosts(5000, 3000), 40)
    assert whole.returned_line_costs == sum((LineCosts(net, cost) for net, cost, _ in back), LineCosts())


def _a_return(purchase_id: UUID, line_costs: LineCosts, points: int) -> Return:
    return Return(
        return_id=an_id(),
        purchase_id=purchase_id,
        customer_id=CustomerId(ANNA),
        day=date(2026, 3, 1),
        currency="EUR",
        amount_minor=1,
        programme="club",
        line_costs=line_costs,
        taken_back=points,
    )


@given(st.floats(0, 1e6), profits, costs, st.integers(0, 4000), shares)
def test_a_value_is_net_of_every_cost(clv: float, profit: Profit, recent: int, days: int, everybody: Shares) -> None:
    net = net_value(clv, Past(profit, recent, days), everybody, 100.0)
    assert isfinite(net.value)
    assert 0 <= net.acquisition_left <= profit.acquisition_cost_minor / 100
    assert net.campaign_cost == pytest.approx(net.campaign_month * MONTHS_PAID)
    assert net.value == net.margin - net.points_cost - net.campaign_cost - net.acquisition_left
    assert net.is_unprofitable == (net.value < 0)
    assert net.shares == (shares_of(profit) or everybody)


@pytest.mark.parametrize(("known_days", "a_month"), [(10, 12.0), (60, 6.0), (360, 1.0), (4000, 1.0)])
def test_messages_go_on_as_in_a_year_or_in_the_time_known_a_month_at_least(known_days: int, a_month: float) -> None:
    net = net_value(0.0, Past(Profit(), 1_200, known_days), Shares(), 100.0)
    assert net.campaign_month == pytest.approx(a_month)
    assert net.value == pytest.approx(-11.2551 * a_month, rel=1e-5)


@pytest.mark.parametrize(
    "left",
    [
        # 100.00 of goods that had cost 60.00; 99.99 were given back for them, on no receipt.
        Profit(revenue_minor=1, costed_minor=10_000, margin_minor=-5_999),
        # 5.00 of goods, and a gift of a thousand points at a cent.
        Profit(revenue_minor=500, margin_minor=500, points_cost_minor=1_000),
        # Points taken back of what was earned before anybody counted them.
        Profit(revenue_minor=500, margin_minor=500, points_cost_minor=-1),
    ],
)
def test_what_is_left_of_a_revenue_does_not_speak_for_what_comes(left: Profit) -> None:
    net = net_value(50.0, Past(left, 0, 100), Shares(0.4, 0.01), 100.0)
    assert net.shares_of == "everybody"
    assert net.value == pytest.approx(50 * 0.39)


@given(st.floats(0, 1e6), profits, costs, st.integers(0, 4000))
def test_costs_never_raise_a_value(clv: float, profit: Profit, recent: int, days: int) -> None:
    def valued(past: Profit, messages: int) -> NetValue:
        return net_value(clv, Past(past, messages, days), Shares(), 100.0)

    dearer = profit + Profit(acquisition_cost_minor=5000)
    assert valued(dearer, recent).value <= valued(profit, recent).value + 1e-6
    assert valued(profit, recent + 100).value <= valued(profit, recent).value


@given(st.floats(-1e6, 1e6), rates, st.floats(0.001, 1))
def test_a_worth_is_the_sum_of_all_its_years(margin: float, retention: float, rate: float) -> None:
    kept = retention / (1 + rate)
    years = margin * sum(kept**year for year in range(1, 2000))
    # What the years after these bring is kept^2000 of the whole.
    assert lifetime_worth(margin, retention, rate) * (1 - kept**1999) == pytest.approx(years, rel=1e-6, abs=1e-6)


@given(st.integers(1, 10**6), rates, st.integers(1, 100), minor, st.integers(1, 10**6))
def test_a_rise_is_worth_something_where_customers_bring_something(
    customers: int, retention: float, points: int, contribution: int, buyers: int
) -> None:
    year = Year(Profit(margin_minor=contribution), buyers)
    worth = worth_of(Kept(None, customers, retention), year, year, points)
    assert worth.rise_minor is not None
    assert worth.rise_minor * (1 if contribution >= 0 else -1) >= 0
    higher = worth_of(Kept(None, customers, retention), year, year, min(100, points + 5))
    assert abs(higher.rise_minor or 0) >= abs(worth.rise_minor) * (1 - 1e-9)


# Gupta and Lehmann (2003), the margin multiple r / (1 + i - r) by retention and discount rate.
MULTIPLES = {
    0.10: (1.20, 1.75, 2.67, 4.50),
    0.12: (1.15, 1.67, 2.50, 4.09),
    0.14: (1.11, 1.59, 2.35, 3.75),
    0.16: (1.07, 1.52, 2.22, 3.46),
}


@pytest.mark.parametrize(("rate", "published"), MULTIPLES.items())
def test_the_published_multiples_are_met(rate: float, published: tuple[float, ...]) -> None:
    found = [lifetime_worth(1.0, retention, rate) for retention in (0.6, 0.7, 0.8, 0.9)]
    assert found == pytest.approx(published, abs=0.005)


def test_five_points_of_retention_have_a_price() -> None:
    # 100 a year, of 1,000 customers: 100 x 0.8 / 0.3268 = 244.78; at 0.85, 100 x 0.85 / 0.2768 = 307.06.
    worth = worth_of(Kept(None, 1000, 0.8), _of_a_hundred(), _of_a_hundred(), 5)
    assert pytest.approx(0.1268, abs=5e-5) == ANNUAL_RATE
    assert (worth.value_minor, worth.risen_minor) == pytest.approx((244.78, 307.06), abs=0.01)
    assert worth.rise_minor == pytest.approx(1000 * (307.06 - 244.78), abs=10)


def test_who_has_none_of_their_own_brings_everybodys_margin_and_nobody_brings_none() -> None:
    silent = Year(Profit(), 0)
    assert worth_of(Kept("at risk", 10, 0.2), silent, _of_a_hundred(), 5).margin_of == "everybody"
    nothing = worth_of(Kept(None, 10, 0.2), silent, silent, 5)
    assert (nothing.margin_minor, nothing.value_minor, nothing.rise_minor) == (None, None, None)


def test_certainty_is_the_most_that_retention_rises_to() -> None:
    worths: list[Worth] = [worth_of(Kept(None, 1, 0.98), _of_a_hundred(), _of_a_hundred(), up) for up in (2, 5, 100)]
    assert len({worth.risen_minor for worth in worths}) == 1


def _of_a_hundred() -> Year:
    return Year(Profit(margin_minor=100_000), 1000)


def test_order_has_no_say_in_who_told_a_purchase_first() -> None:
    parts = [Purchase(earned=None), Purchase(earned=7), Purchase(taken_back=2)]
    for one, two, three in permutations(parts):
        joined = one.joined(two).joined(three)
        assert (joined.earned, joined.taken_back) == (7, 2)
