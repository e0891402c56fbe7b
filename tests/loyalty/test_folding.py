"""An account is the fold of its facts (P13): one at a time or all at once, in order or not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import a_programme, bought, granted, local, redeemed, returned, reversed_
from loyalty.arrivals import START, Till, a_busy_club, arrival_order, clubs, stories
from loyalty.books import check, folded, state_of, whole_fold
from regulars_loyalty.domain.account import Account
from regulars_loyalty.domain.facts import Fact, PurchaseMade
from regulars_loyalty.domain.folding import is_late
from regulars_loyalty.domain.late import differences, net
from regulars_loyalty.domain.programme import Programme

CLUB = a_programme()
RE_RATE = a_busy_club(late="re-rate")


def whole_state(account: Account) -> dict[str, Any]:
    """Everything that another fold of the same facts must find again."""
    lots = {(lot.lot_id, lot.origin, lot.issued, lot.remaining, lot.expires_at) for lot in account.open_lots()}
    standings = {year: (each.total, each.peak) for year, each in account.standings.items()}
    purchases = {key: (each.price, each.returned) for key, each in account.bought.items()}
    spends = {key: (each.slices, each.restored) for key, each in account.spends.items()}
    points = (account.spendable, account.debt, account.tier, account.visits)
    return {"points": points, "lots": lots, "standings": standings, "purchases": purchases, "spends": spends}


@settings(max_examples=80)
@given(st.data())
def test_facts_in_any_order_of_arrival_leave_what_the_fold_of_them_says(data: st.DataObject) -> None:
    club = data.draw(clubs())
    story = data.draw(stories(club))
    till = Till(club)
    for fact in arrival_order(story.facts, data.draw(st.permutations(story.facts))):
        if data.draw(st.integers(0, 5)) == 0:
            till.pass_time(START + timedelta(hours=data.draw(st.integers(0, 20_000))))
        till.hear(fact)
        check(till.account, till.moves)
        refolded = till.refolded()
        assert whole_state(till.account) == whole_state(refolded)
        assert till.posted() == {key: points for key, points in net(refolded.moves).items() if points}


@settings(max_examples=80)
@given(st.data())
def test_under_re_rate_every_order_of_arrival_ends_in_the_same_state(data: st.DataObject) -> None:
    club = data.draw(clubs(late="re-rate"))
    story = data.draw(stories(club, kinds=("sell", "sell", "sell", "give_back", "adjust")))
    in_order, shuffled = Till(club), Till(club)
    for fact in story.facts:
        assert in_order.hear(fact)
    for fact in arrival_order(story.facts, data.draw(st.permutations(story.facts))):
        assert shuffled.hear(fact)
    assert state_of(shuffled.account) == state_of(in_order.account)
    assert state_of(whole_fold(story.facts, club, in_order.account.newest_at)) == state_of(in_order.account)


@settings(max_examples=60)
@given(st.data())
def test_without_re_rate_no_late_receipt_changes_what_another_earned(data: st.DataObject) -> None:
    club = data.draw(clubs(late="no-rerate"))
    story = data.draw(stories(club))
    till = Till(club)
    earned: dict[Any, int] = {}
    for fact in arrival_order(story.facts, data.draw(st.permutations(story.facts))):
        heard = till.hear(fact)
        assert {key: till.account.bought[key].price.earned for key in earned} == earned
        if heard and isinstance(fact, PurchaseMade):
            earned[fact.fact_id] = till.account.bought[fact.fact_id].price.earned


@settings(max_examples=60)
@given(st.data())
def test_a_late_job_changes_no_answer(data: st.DataObject) -> None:
    club = data.draw(clubs())
    story = data.draw(stories(club))
    often, never = Till(club), Till(club)
    end = START + timedelta(hours=25_000)
    for fact in story.facts:
        often.pass_time(fact.at)
        assert often.hear(fact) == never.hear(fact)
    often.pass_time(end)
    never.pass_time(end)
    assert whole_state(often.account) == whole_state(never.account)
    assert often.posted() == never.posted()


def heard(*facts: Fact, club: Programme = CLUB) -> Till:
    till = Till(club)
    for fact in facts:
        assert till.hear(fact), fact
    return till


def test_disordered_clocks_of_plain_purchases_cost_no_second_fold() -> None:
    till = heard(bought(1000, "2026-02-03", CLUB), bought(1000, "2026-02-01", CLUB), bought(1000, "2026-02-02", CLUB))
    assert (till.account.balance, till.late) == (30, 0)


def test_which_purchase_paid_the_debt_is_decided_by_business_time() -> None:
    club = a_programme(expires={"after": "P6M"})
    spent = redeemed(100, "2026-01-02")
    first = bought(10_000, "2026-01-01", club)
    back = returned(first, "2026-01-03")
    newer, older = bought(15_000, "2026-03-01", club), bought(15_000, "2026-02-01", club)
    till = heard(first, spent, back, newer, older, club=club)
    lots = {lot.origin: lot.remaining for lot in till.account.open_lots()}
    assert lots == {older.fact_id: 50, newer.fact_id: 150}, "the older one pays the 100, though it came later"


def test_a_late_redemption_is_judged_as_of_its_own_instant() -> None:
    till = heard(granted(100, "2026-02-01"), granted(50, "2026-02-10"))
    assert not till.hear(redeemed(101, "2026-02-05")), "on 5 February there were 100"
    assert till.hear(redeemed(100, "2026-02-05"))


def test_a_late_redemption_that_would_leave_more_debt_is_refused() -> None:
    till = heard(granted(100, "2026-02-01"), redeemed(80, "2026-02-10"))
    assert not till.hear(redeemed(30, "2026-02-05")), "80 of the 100 were spent since"
    assert not till.hear(granted(-30, "2026-02-05"))
    assert till.hear(redeemed(20, "2026-02-05"))
    assert till.account.balance == 0


def test_a_late_return_is_never_refused() -> None:
    sale = bought(10_000, "2026-02-01", CLUB)
    till = heard(sale, redeemed(100, "2026-02-10"))
    assert till.hear(returned(sale, "2026-02-05"))
    assert (till.account.spendable, till.account.debt) == (0, 100)


def test_points_that_ended_before_a_late_purchase_was_heard_of_have_expired() -> None:
    club = a_programme(expires={"after": "P1M"})
    till = heard(bought(5000, "2026-06-01", club), bought(10_000, "2026-01-15", club), club=club)
    assert till.account.balance == 50


def test_a_late_receipt_brings_no_second_welcome() -> None:
    rules = [{"code": "welcome", "when": {"first_purchase": True}, "bonus": 50}]
    no_rerate = a_programme(rules=rules)
    re_rate = a_programme(rules=rules, policies={"late": "re-rate"})
    for club, earned in ((no_rerate, (60, 10)), (re_rate, (10, 60))):
        newer, older = bought(1000, "2026-02-02", club), bought(1000, "2026-02-01", club)
        account = heard(newer, older, club=club).account
        assert tuple(account.bought[each.fact_id].price.earned for each in (newer, older)) == earned


def test_a_late_receipt_earns_at_the_tier_of_its_own_time() -> None:
    club = a_busy_club(life="P24M")
    gold = bought(10_000, "2026-02-10", club)
    before, after = bought(1000, "2026-02-05", club), bought(1000, "2026-02-15", club)
    account = heard(gold, bought(100, "2026-02-20", club), before, club=club).account
    assert account.bought[before.fact_id].price.tier == "base"
    account = heard(gold, bought(100, "2026-02-20", club), after, club=club).account
    assert account.bought[after.fact_id].price.tier == "gold"


def test_a_late_fact_posts_differences_that_lead_to_the_new_fold() -> None:
    early, late = granted(100, "2026-01-01", until="2026-06-01"), granted(100, "2026-01-02", until="2026-03-01")
    spent = redeemed(60, "2026-02-01")
    till = heard(early, spent)
    before = till.posted()
    till.hear(late)
    refolded = till.refolded()
    assert differences(net(till.moves), refolded.moves) == []
    assert before != till.posted()
    assert {lot.lot_id: lot.remaining for lot in till.account.open_lots()} == {early.fact_id: 100, late.fact_id: 40}


def test_at_one_instant_points_expire_before_a_purchase_is_paid_with_them() -> None:
    till = heard(granted(100, "2026-01-01", until="2026-02-01"))
    assert not till.hear(redeemed(1, "2026-02-01"))
    assert till.account.balance == 0


def test_facts_of_one_instant_keep_their_order_of_arrival() -> None:
    first, second = bought(1000, "2026-02-01", RE_RATE), bought(1000, "2026-02-01", RE_RATE)
    account = heard(first, second, bought(1000, "2026-03-01", RE_RATE), club=RE_RATE).account
    assert [each.price.visit for each in account.bought.values()] == [1, 2, 3]


def test_a_refused_fact_leaves_nothing_but_what_time_changed() -> None:
    till = heard(granted(100, "2026-01-01", until="2026-02-01"))
    assert not till.hear(redeemed(100, "2026-03-01"))
    check(till.account, till.moves)
    assert whole_state(till.account) == whole_state(till.refolded())


def test_only_what_does_not_commute_is_late() -> None:
    sale = bought(1000, "2026-02-10", CLUB)
    spent = redeemed(5, "2026-02-12")
    account = folded([sale, spent], CLUB)
    assert is_late(account, bought(1000, "2026-02-11", CLUB), CLUB), "before the redemption: it may have paid for it"
    assert not is_late(account, bought(1000, "2026-02-12", CLUB), CLUB)
    assert not is_late(account, reversed_(spent, "2026-02-12"), CLUB)
    assert is_late(account, reversed_(spent, "2026-02-11"), CLUB)
    assert local("2026-02-12") == account.newest_at
