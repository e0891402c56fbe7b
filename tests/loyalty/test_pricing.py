"""What a purchase earns (P1, P2): exact fractions, floored once, shared over the lines."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import TIERS, a_document, a_line, a_programme, a_purchase, lines_of
from regulars_loyalty.domain.pricing import Price, points_to_pay, price
from regulars_loyalty.domain.programme import Version
from regulars_loyalty.domain.purchase import Purchase
from regulars_loyalty.domain.refusals import CurrencyNotInProgramme


def a_version(**said: Any) -> Version:
    return a_programme(**said).versions[0]


def priced(purchase: Purchase, tier: str | None = None, visits: int = 0, **said: Any) -> Price:
    return price(purchase, a_version(**said), tier, visits)


def test_worked_case_1_gold_earns_15_points_shared_equally() -> None:
    # 10.00 EUR x 1 x 1.5 = 15; shares 4.995, 4.995, 5.01 -> 4 + 4 + 5, the two left over to .995 and .995
    answer = priced(a_purchase(lines=lines_of(333, 333, 334)), "gold", tiers=TIERS)
    assert (answer.earned, answer.line_points) == (15, (5, 5, 5))


def test_worked_case_1_three_halves_of_a_euro_earn_one_point_on_the_first_line() -> None:
    answer = priced(a_purchase(lines=lines_of(50, 50, 50)))  # 1.50 floored once, not 3 x 0.50 floored
    assert (answer.earned, answer.line_points) == (1, (1, 0, 0))


def test_worked_case_2_multipliers_multiply_and_a_bonus_is_added() -> None:
    # 19.99 x 2 x 2 x 1.25 = 99.95 -> 99, + 50
    tiers = [{"code": "base", "from": 0}, {"code": "silver", "from": 500, "multiplier": "1.25"}]
    rules = [
        {"code": "campaign", "when": {"from": "2026-02-01", "to": "2026-03-01"}, "multiplier": "2"},
        {"code": "welcome", "when": {"first_purchase": True}, "bonus": 50},
    ]
    answer = priced(a_purchase(1999), "silver", earn={"EUR": "2"}, tiers=tiers, rules=rules)
    assert (answer.earned, answer.exact) == (149, Fraction(9995, 100))


def test_a_third_is_a_third() -> None:
    assert priced(a_purchase(300), earn={"EUR": "1/3"}).earned == 1
    assert priced(a_purchase(299), earn={"EUR": "1/3"}).earned == 0


def test_yen_have_no_minor_units_and_dinars_have_three() -> None:
    rates = {"JPY": "1/100", "KWD": "10"}
    assert priced(a_purchase(1999, currency="JPY"), earn=rates).earned == 19  # 1999 JPY / 100
    assert priced(a_purchase(1999, currency="KWD"), earn=rates).earned == 19  # 1.999 KWD x 10


def test_a_foreign_currency_is_refused_rather_than_exchanged() -> None:
    with pytest.raises(CurrencyNotInProgramme):
        priced(a_purchase(1999, currency="USD"))


def test_the_part_paid_in_points_earns_nothing() -> None:
    # 20.00 with 5.00 paid in points: 15.00 earn; 11.25 + 3.75 in proportion
    answer = priced(a_purchase(lines=lines_of(1500, 500), paid_in_points_minor=500))
    assert (answer.earned, answer.line_points) == (15, (11, 4))
    assert (answer.paid, answer.line_paid) == (500, (375, 125))


def test_points_to_pay_are_rounded_up() -> None:
    assert points_to_pay(500, "EUR", a_version()) == 500  # 5.00 at 0.01
    assert points_to_pay(500, "EUR", a_version(point_value={"EUR": "0.03"})) == 167  # 166.67
    assert points_to_pay(1, "EUR", a_version(point_value={"EUR": "1"})) == 1


def test_a_currency_without_a_point_value_cannot_be_paid_in_points() -> None:
    with pytest.raises(CurrencyNotInProgramme):
        priced(a_purchase(1999, paid_in_points_minor=100), point_value={"GBP": "0.01"})


def test_a_category_rule_touches_only_its_lines() -> None:
    rules = [{"code": "x2-shoes", "when": {"category": ["shoes"]}, "multiplier": "2"}]
    shoes, socks = a_line(5000, line_id="1", category="shoes"), a_line(1000, line_id="2", category="socks")
    answer = priced(a_purchase(lines=[shoes, socks]), rules=rules)
    assert answer.line_points == (100, 10)
    assert answer.line_rules == (("x2-shoes",), ())


def test_a_line_bonus_stays_on_its_lines_and_a_baskets_is_shared_like_points() -> None:
    line_bonus = {"code": "shoe-day", "when": {"sku": ["SHOE-42"]}, "bonus": 10}
    basket_bonus = {"code": "welcome", "when": {"first_purchase": True}, "bonus": 4}
    lines = [a_line(3000, line_id="1", sku="SOCK"), a_line(1000, line_id="2")]
    answer = priced(a_purchase(lines=lines), rules=[line_bonus, basket_bonus])
    assert answer.line_points == (30 + 3, 10 + 10 + 1)
    assert answer.earned == 54


@pytest.mark.parametrize(("visits", "earned"), [(0, 10), (1, 10), (2, 17), (3, 10), (5, 17)])
def test_every_third_visit_has_a_bonus(visits: int, earned: int) -> None:
    rules = [{"code": "third", "when": {"every_nth_visit": 3}, "bonus": 7}]
    assert priced(a_purchase(1000), visits=visits, rules=rules).earned == earned


@pytest.mark.parametrize(
    ("when", "earned"),
    [
        ("2026-02-28 23:59", 10),
        ("2026-03-01 00:00", 20),  # `from` is the first day, `to` the first one that is not
        ("2026-03-07 23:59", 20),
        ("2026-03-08 00:00", 10),
    ],
)
def test_a_rule_applies_on_local_days(when: str, earned: int) -> None:
    rules = [{"code": "week", "when": {"from": "2026-03-01", "to": "2026-03-08"}, "multiplier": "2"}]
    assert priced(a_purchase(1000, when=when), rules=rules).earned == earned


@pytest.mark.parametrize(("store", "channel", "earned"), [("web", "app", 30), ("web", "shop", 10), ("hof", "app", 10)])
def test_all_conditions_of_a_rule_must_hold(store: str, channel: str, earned: int) -> None:
    rules = [{"code": "app", "when": {"store": ["web"], "channel": ["app", "site"]}, "multiplier": "3"}]
    assert priced(a_purchase(1000, store=store, channel=channel), rules=rules).earned == earned


def test_tier_credit_is_the_base_without_multipliers_or_bonuses() -> None:
    rules = [{"code": "x3", "multiplier": "3"}, {"code": "gift", "bonus": 100, "when": {}}]
    answer = priced(a_purchase(lines=lines_of(150, 149)), "gold", tiers=TIERS, rules=rules)
    assert (answer.credit, answer.line_credits) == (2, (1, 1))  # 2.99 floored once


def test_tier_credit_by_spend_is_what_was_paid_in_money() -> None:
    answer = priced(a_purchase(2000, paid_in_points_minor=500), qualify={"by": "spend"})
    assert answer.credit == 1500


def test_a_gift_earns_nothing_and_costs_nothing() -> None:
    answer = priced(a_purchase(0))
    assert (answer.earned, answer.paid, answer.credit) == (0, 0, 0)


factors = st.sampled_from(["0", "1", "1.5", "1/3", "0.01", "7/11"])


@given(
    st.lists(st.integers(0, 50_000), min_size=1, max_size=8),
    factors,
    factors,
    st.integers(0, 100),
    st.fractions(0, 1, max_denominator=20),
)
def test_lines_add_up_to_what_is_earned_and_never_above_the_exact_sum(
    nets: list[int], rate: str, tier: str, bonus: int, in_points: Fraction
) -> None:
    tiers = [{"code": "base", "from": 0, "multiplier": tier}]
    rules = [{"code": "gift", "bonus": bonus, "multiplier": "3/2"}]
    purchase = a_purchase(lines=lines_of(*nets), paid_in_points_minor=int(sum(nets) * in_points))
    version = a_version(**a_document(earn={"EUR": rate}, tiers=tiers, rules=rules))
    answer = price(purchase, version, None, 0)
    money = sum(nets) - purchase.paid_in_points_minor
    exact = Fraction(money, 100) * Fraction(rate) * Fraction(tier) * Fraction(3, 2)
    assert sum(answer.line_points) == answer.earned == floor(exact) + bonus
    assert sum(answer.line_credits) == answer.credit == floor(Fraction(money, 100) * Fraction(rate))
    assert sum(answer.line_paid) == answer.paid == purchase.paid_in_points_minor
    assert all(points >= 0 for points in answer.line_points)
