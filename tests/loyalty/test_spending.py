"""Which points are spent first (P3), and how spent points come back (P5)."""

from __future__ import annotations

from uuid import UUID

import pytest

from builders import a_programme, bought, granted, local, redeemed, returned, reversed_
from loyalty.books import folded
from regulars_loyalty.domain.account import Account, Cause
from regulars_loyalty.domain.facts import Fact
from regulars_loyalty.domain.folding import apply
from regulars_loyalty.domain.refusals import InsufficientPoints

CLUB = a_programme()


def lots_of(account: Account) -> dict[UUID, int]:
    return {lot.lot_id: lot.remaining for lot in account.open_lots()}


def test_worked_case_3_the_soonest_to_expire_goes_first() -> None:
    # A 100 (1 Apr), B 50 (1 Mar), C 70 (never); 120 = B 50 + A 70; 30 of A and 70 of C are left.
    a = granted(100, "2026-01-01", until="2026-04-01")
    b = granted(50, "2026-01-02", until="2026-03-01")
    c = granted(70, "2026-01-03")
    spent = redeemed(120, "2026-02-10")
    account = folded([a, b, c, spent], CLUB)
    assert account.spends[spent.fact_id].slices == [(b.fact_id, 50), (a.fact_id, 70)]
    assert account.balance == 100
    assert folded([a, b, c, spent], CLUB, local("2026-03-01")).balance == 100
    assert folded([a, b, c, spent], CLUB, local("2026-04-01")).balance == 70


def test_of_lots_that_end_together_the_oldest_goes_first_then_the_lower_id() -> None:
    later = granted(10, "2026-01-02", until="2026-04-01")
    older = granted(10, "2026-01-01", until="2026-04-01")
    twin = granted(10, "2026-01-01", until="2026-04-01")
    spent = redeemed(15, "2026-02-01")
    account = folded([older, twin, later, spent], CLUB)
    assert account.spends[spent.fact_id].slices == [(older.fact_id, 10), (twin.fact_id, 5)]
    assert older.fact_id < twin.fact_id


def test_never_expiring_points_go_last() -> None:
    never, ending = granted(10, "2026-01-01"), granted(10, "2026-02-01", until="2036-01-01")
    spent = redeemed(10, "2026-03-01")
    assert folded([never, ending, spent], CLUB).spends[spent.fact_id].slices == [(ending.fact_id, 10)]


@pytest.mark.parametrize(("when", "left"), [("2026-03-31 23:59:59", 40), ("2026-04-01 00:00", -60)])
def test_a_lot_is_usable_until_its_instant_and_not_at_it(when: str, left: int) -> None:
    account = folded([granted(100, "2026-01-01", until="2026-04-01"), redeemed(60, when)], CLUB)
    assert account.balance == left


def test_too_few_points_are_refused_and_nothing_changes() -> None:
    account = folded([granted(100, "2026-01-01")], CLUB)
    with pytest.raises(InsufficientPoints):
        apply(account, redeemed(101, "2026-02-01"), CLUB, is_judged=True)
    assert account.balance == 100
    apply(account, redeemed(100, "2026-02-01"), CLUB, is_judged=True)
    assert account.balance == 0


def test_a_reversal_restores_the_same_lots_the_last_one_taken_first() -> None:
    first = granted(50, "2026-01-01", until="2026-03-01")
    second = granted(50, "2026-01-01", until="2026-04-01")
    spent = redeemed(80, "2026-02-01")
    account = folded([first, second, spent, reversed_(spent, "2026-02-02", 40)], CLUB)
    assert lots_of(account) == {first.fact_id: 10, second.fact_id: 50}  # 30 back to the second, then 10 to the first
    account = folded(
        [first, second, spent, reversed_(spent, "2026-02-02", 40), reversed_(spent, "2026-02-03", 40)], CLUB
    )
    assert lots_of(account) == {first.fact_id: 50, second.fact_id: 50}


LOT = granted(100, "2026-01-01", until="2026-04-01")
SPENT = redeemed(80, "2026-03-20")


def test_worked_case_4_points_restored_after_their_date_expire_at_once() -> None:
    account = folded([LOT, SPENT, reversed_(SPENT, "2026-04-10 12:00")], CLUB)
    assert account.balance == 0
    expired = sum(move.points for move in account.moves if move.cause is Cause.EXPIRY)
    assert expired == 100  # the 20 unspent on 1 April, the 80 on their return


def test_worked_case_4_thirty_days_of_grace_let_them_live_to_the_end_of_9_may() -> None:
    club = a_programme(policies={"grace_days": 30})
    facts: list[Fact] = [LOT, SPENT, reversed_(SPENT, "2026-04-10 12:00")]
    assert folded(facts, club, local("2026-05-09 23:59:59")).balance == 80
    assert folded(facts, club, local("2026-05-10")).balance == 0


def test_grace_never_shortens_a_life() -> None:
    club = a_programme(policies={"grace_days": 3})
    facts: list[Fact] = [LOT, SPENT, reversed_(SPENT, "2026-03-21 12:00")]
    assert folded(facts, club, local("2026-03-31 23:59")).balance == 100
    assert folded(facts, club, local("2026-04-01")).balance == 0


def test_points_that_come_back_pay_debt_first() -> None:
    shoes = bought(10_000, "2026-01-10", CLUB)
    spent = redeemed(100, "2026-01-11")
    facts: list[Fact] = [shoes, spent, returned(shoes, "2026-01-12")]
    account = folded(facts, CLUB)
    assert (account.spendable, account.debt) == (0, 100)
    account = folded([*facts, reversed_(spent, "2026-01-13", 60)], CLUB)
    assert (account.spendable, account.debt) == (0, 40)
    account = folded([*facts, reversed_(spent, "2026-01-13")], CLUB)
    assert (account.spendable, account.debt) == (0, 0)


def test_points_owed_when_they_were_spent_lower_the_debt_when_they_come_back() -> None:
    spent = redeemed(100, "2026-01-11")  # accepted once; a late return took the points from under it
    account = folded([granted(70, "2026-01-10"), spent, reversed_(spent, "2026-01-12", 50)], CLUB)
    assert (account.spendable, account.debt) == (20, 0)


def test_owed_points_whose_debt_was_paid_come_back_as_a_lot() -> None:
    spent = redeemed(100, "2026-01-11")
    facts: list[Fact] = [granted(70, "2026-01-10"), spent, granted(30, "2026-01-12"), reversed_(spent, "2026-01-13")]
    assert folded(facts, CLUB).spendable == 100


def test_one_return_of_two_purchases_paid_from_one_lot_restores_both_with_grace() -> None:
    # Both purchases spent points of one lot that has ended since; with grace the points are one new lot of 30.
    club = a_programme(policies={"grace_days": 30})
    points = granted(100, "2026-01-01", until="2026-04-01")
    sale = {"paid_in_points_minor": 10}
    one = bought(10, "2026-02-01", club, **sale)
    two = bought(20, "2026-02-02", club, paid_in_points_minor=20)
    both = returned(one, "2026-04-10")
    both = type(both)(both.fact_id, both.at, (*both.shares, *returned(two, "2026-04-10").shares))
    account = folded([points, one, two, both], club)
    assert [(lot.issued, lot.remaining) for lot in account.open_lots()] == [(30, 30)]


def test_a_negative_adjustment_takes_lots_in_the_same_order() -> None:
    first, second = granted(50, "2026-01-01", until="2026-03-01"), granted(50, "2026-01-01", until="2026-04-01")
    taken = granted(-60, "2026-02-01")
    assert lots_of(folded([first, second, taken], CLUB)) == {second.fact_id: 40}


def test_a_tender_is_spent_before_its_purchase_earns() -> None:
    account = Account(UUID(int=1))
    sale = bought(1000, "2026-02-01", CLUB, paid_in_points_minor=500)
    with pytest.raises(InsufficientPoints):
        apply(account, sale, CLUB, is_judged=True)
    account = folded([granted(500, "2026-01-01"), sale], CLUB)
    assert account.balance == 5  # 500 spent; 5.00 of money earned 5
