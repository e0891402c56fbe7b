"""What a return takes back (P6): what the lines earned, to the point, in any number of steps."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import a_line, a_programme, a_purchase, bought, granted, lines_of, made, redeemed, returned
from loyalty.books import folded
from regulars_loyalty.domain.account import Account, Bought, Cause
from regulars_loyalty.domain.facts import Fact, ReturnedShare
from regulars_loyalty.domain.folding import apply
from regulars_loyalty.domain.purchase import Purchase
from regulars_loyalty.domain.refusals import NothingLeftToReturn, UnknownLine
from regulars_loyalty.domain.returning import GoodsReturned, LineWanted, match, shares_of, take, unmatched

CLUB = a_programme()
CLAMP = a_programme(policies={"debt": "clamp"})


def as_bought(purchase: Purchase) -> Bought:
    account = Account(purchase.purchase_id)
    apply(account, made(purchase, CLUB), CLUB, is_judged=False)
    return account.bought[purchase.purchase_id]


def test_worked_case_5_what_was_spent_becomes_debt_that_later_earnings_pay() -> None:
    # 200 earned, 180 redeemed, 200 taken back: 20 - 200 = -180; + 250 = 70; - 250 = -180
    first, second = bought(20_000, "2026-02-01", CLUB), bought(25_000, "2026-02-04", CLUB)
    before: list[Fact] = [first, redeemed(180, "2026-02-02"), returned(first, "2026-02-03")]
    assert folded(before, CLUB).balance == -180
    assert folded([*before, second], CLUB).balance == 70
    assert folded([*before, second, returned(second, "2026-02-05")], CLUB).balance == -180


def test_worked_case_5_clamped_the_shortfall_is_written_off() -> None:
    first, second = bought(20_000, "2026-02-01", CLAMP), bought(25_000, "2026-02-04", CLAMP)
    before: list[Fact] = [first, redeemed(180, "2026-02-02"), returned(first, "2026-02-03")]
    account = folded(before, CLAMP)
    taken = {move.source: move.points for move in account.moves if move.cause is Cause.RETURN}
    assert taken == {"spendable": 20, "written_off": 180}
    assert folded([*before, second], CLAMP).balance == 250
    assert folded([*before, second, returned(second, "2026-02-05")], CLAMP).balance == 0


def test_worked_case_6_each_line_takes_back_its_own_points() -> None:
    sale = made(a_purchase(lines=lines_of(3000, 7000), when="2026-02-01"), CLUB)
    account = folded([sale, returned(sale, "2026-02-02", (0, 1))], CLUB)
    assert account.balance == 70
    account = folded([sale, returned(sale, "2026-02-02", (0, 1)), returned(sale, "2026-02-03", (1, 1))], CLUB)
    assert account.balance == 0


def test_worked_case_10_a_return_takes_back_by_the_rule_of_the_day_of_purchase() -> None:
    first = {"effective_from": "2026-01-01", "time_zone": "Europe/Berlin", "stores": ["*"], "earn": {"EUR": "1"}}
    club = a_programme(first, first | {"effective_from": "2026-02-01", "earn": {"EUR": "2"}})
    sale = bought(5000, "2026-01-15", club)
    back = returned(sale, "2026-02-15")
    assert folded([sale], club).balance == 50
    assert folded([sale, back], club).balance == 0
    assert folded([bought(5000, "2026-02-01", club)], club).balance == 100


def test_the_purchases_own_lot_gives_first_then_the_soonest_to_expire() -> None:
    club = a_programme(expires={"after": "P12M"})
    soon, sale = granted(100, "2026-01-01", until="2026-03-01"), bought(3000, "2026-02-01", club)
    account = folded([soon, sale, returned(sale, "2026-02-02")], club)
    assert {lot.lot_id: lot.remaining for lot in account.open_lots()} == {soon.fact_id: 100}
    spent = redeemed(110, "2026-02-02")  # takes the 100, and 10 of the sale's 30
    account = folded([soon, sale, spent, granted(15, "2026-02-03"), returned(sale, "2026-02-04")], club)
    assert (account.spendable, account.debt) == (5, 0)  # 20 of its own, then 10 of the 15


def test_points_paid_come_back_before_points_earned_are_taken() -> None:
    # 10.00, half of it by 500 points: earned 5. The return gives 500 back and takes 5.
    points = granted(500, "2026-01-01")
    sale = bought(1000, "2026-02-01", CLUB, paid_in_points_minor=500)
    account = folded([points, sale, returned(sale, "2026-02-02")], CLUB)
    assert account.balance == 500
    assert [move.cause for move in account.moves[-2:]] == [Cause.RETURN, Cause.RETURN]
    assert [move.source for move in account.moves[-2:]] == ["redeemed", "spendable"]


def test_points_paid_come_back_in_proportion_to_the_lines() -> None:
    points = granted(500, "2026-01-01")
    lines = lines_of(667, 333)
    sale = made(a_purchase(lines=lines, when="2026-02-01", paid_in_points_minor=500), CLUB)
    # 500 shared over 667 : 333 is 333.5 : 166.5, by largest remainder 334 and 166
    account = folded([points, sale, returned(sale, "2026-02-02", (1, 1))], CLUB)
    assert account.takings[next(iter(account.takings))][0].paid == 166


def test_half_a_line_takes_half_rounded_down_and_the_rest_the_rest() -> None:
    sale = bought(500, "2026-02-01", CLUB)  # 5 points
    half = (0, Fraction(1, 2))
    account = folded([sale, returned(sale, "2026-02-02", half)], CLUB)
    assert account.balance == 3  # floor(2.5) = 2 taken
    account = folded([sale, returned(sale, "2026-02-02", half), returned(sale, "2026-02-03", half)], CLUB)
    assert account.balance == 0


nets = st.lists(st.integers(0, 5000), min_size=1, max_size=4)
cuts = st.lists(st.tuples(st.integers(0, 3), st.fractions(0, 1, max_denominator=12)), max_size=12)


@given(nets, cuts, st.integers(0, 100))
def test_any_sequence_of_partial_returns_ends_at_the_whole(
    amounts: list[int], parts: list[tuple[int, Fraction]], percent: int
) -> None:
    sale = made(a_purchase(lines=lines_of(*amounts), paid_in_points_minor=sum(amounts) * percent // 100), CLUB)
    facts: list[Fact] = [granted(100_000, "2026-01-01"), sale]
    left = [Fraction(1) for _ in amounts]
    for place, part in parts:
        if place < len(left) and (share := min(part, left[place])):
            left[place] -= share
            facts.append(returned(sale, "2026-02-20", (place, share)))
    rest = [(place, share) for place, share in enumerate(left) if share]
    if rest:
        facts.append(returned(sale, "2026-02-21", *rest))
    account = folded(facts, CLUB)
    price = account.bought[sale.fact_id].price
    takings = [taking for each in account.takings.values() for taking in each]
    assert sum(taking.points for taking in takings) == price.earned
    assert sum(taking.paid for taking in takings) == price.paid
    assert sum(taking.credit for taking in takings) == price.credit
    assert sum(taking.net_minor for taking in takings) == sum(amounts)
    assert account.balance == 100_000


TWO_PAIRS = a_purchase(lines=[a_line(3000, line_id="shoes", quantity_milli=2000), a_line(0, line_id="gift")])


def wanted(*lines: LineWanted) -> list[tuple[int, Fraction]]:
    return [(each.line, each.share) for each in shares_of(TWO_PAIRS, as_bought(TWO_PAIRS), lines)]


def test_a_line_is_returned_by_quantity_by_amount_or_as_a_whole() -> None:
    assert wanted(LineWanted("shoes", 1000)) == [(0, Fraction(1, 2))]
    assert wanted(LineWanted("shoes", 1000, 2900)) == [(0, Fraction(1, 2))], "quantity goes before the amount"
    assert wanted(LineWanted("shoes", None, 1000)) == [(0, Fraction(1, 3))]
    assert wanted(LineWanted("shoes")) == [(0, Fraction(1))]
    assert wanted(LineWanted("gift", None, 0)) == [(1, Fraction(1))]
    assert wanted() == [(0, Fraction(1)), (1, Fraction(1))]


@pytest.mark.parametrize(
    "lines",
    [
        [LineWanted("shoes", 2001)],
        [LineWanted("shoes", None, 3001)],
        [LineWanted("gift", None, 1)],
        [LineWanted("shoes", 1500), LineWanted("shoes", 1000)],
        [LineWanted("shoes", 2000), LineWanted("shoes")],
    ],
)
def test_more_than_is_left_is_refused_as_a_whole(lines: list[LineWanted]) -> None:
    with pytest.raises(NothingLeftToReturn):
        wanted(*lines)


def test_an_unknown_line_is_refused_and_named() -> None:
    with pytest.raises(UnknownLine) as refusal:
        wanted(LineWanted("shoes", 1000), LineWanted("socks"))
    assert refusal.value.field == "/lines/1/line_id"


def test_what_came_back_before_is_not_left() -> None:
    bought_shoes = as_bought(TWO_PAIRS)
    take(bought_shoes, 0, Fraction(1, 2))
    with pytest.raises(NothingLeftToReturn):
        shares_of(TWO_PAIRS, bought_shoes, [LineWanted("shoes", 2000)])
    assert [each.share for each in shares_of(TWO_PAIRS, bought_shoes, [])] == [Fraction(1, 2), Fraction(1)]


def test_goods_without_a_receipt_match_the_newest_purchases_until_they_are_covered() -> None:
    old = a_purchase(lines=[a_line(1000, quantity_milli=2000)])
    new = a_purchase(lines=[a_line(900, sku="SOCK", line_id="2"), a_line(1000)])
    goods = [GoodsReturned("SHOE-42", 4000, 4001), GoodsReturned("HAT", 1000, 500)]
    candidates = [(new, as_bought(new)), (old, as_bought(old))]
    found = match(goods, candidates)
    assert [(each.goods, each.share, each.quantity) for each in found] == [
        (0, ReturnedShare(new.purchase_id, 1, Fraction(1)), Fraction(1000)),
        (0, ReturnedShare(old.purchase_id, 0, Fraction(1)), Fraction(2000)),
    ]
    assert unmatched(goods, found) == [GoodsReturned("SHOE-42", 1000, 1000), GoodsReturned("HAT", 1000, 500)]


def test_the_money_of_what_matched_adds_up_to_the_last_cent() -> None:
    purchases = [a_purchase(1000) for _ in range(3)]
    goods = [GoodsReturned("SHOE-42", 3000, 100)]
    found = match(goods, [(each, as_bought(each)) for each in purchases])
    assert sum(each.net_minor for each in found) == 100
    assert unmatched(goods, found) == []
