"""The state is a function of what was bought and returned, whatever the order in which it was heard."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import ANNA, an_id
from regulars_kit.values import CustomerId
from regulars_scoring.domain.purchases import Posting, Purchase, Return, Sale, posting_of, summed, told_of_purchases
from regulars_scoring.domain.state import NOTHING, BuyingState, DayChange, Entry, followed, state_of, summary_of

FIRST = date(2026, 1, 1)
EUR = "EUR"


@dataclass
class Follower:
    """Follows a customer's state by small changes alone, and counts how often it had to read the ledger."""

    ledger: dict[date, Entry] = field(default_factory=dict)
    state: BuyingState = field(default_factory=BuyingState)
    read_again: int = 0

    def post(self, *postings: Posting | None) -> None:
        """All at once."""
        changes = []
        for posting in summed(posting for posting in postings if posting):
            before = self.ledger.get(posting.day, NOTHING)
            self.ledger[posting.day] = before + posting.change
            changes.append(DayChange(posting.day, before, self.ledger[posting.day]))
        following = followed(self.state, changes)
        self.read_again += following is None
        self.state = following or state_of(self.ledger)


Happening = tuple[int, str, int]
"""Which purchase, what happens to it, and by how much."""


@st.composite
def stories(draw: st.DrawFn) -> tuple[dict[int, Purchase], list[Happening]]:
    """Some purchases of Anna's, with their returns, in any order."""
    sales: dict[int, Purchase] = {}
    happenings: list[Happening] = []
    for number in range(draw(st.integers(1, 6))):
        total = draw(st.sampled_from([0, 100, 250, 1000]))
        currency = draw(st.sampled_from([EUR, EUR, "USD"]))
        day = FIRST + timedelta(days=draw(st.integers(0, 5)))
        sales[number] = Purchase(CustomerId(ANNA), day, currency, total)
        happenings.append((number, "bought", 0))
        left = total
        for _ in range(draw(st.integers(0, 2))):
            back = draw(st.integers(0, left))
            left -= back
            happenings.append((number, draw(st.sampled_from(["returned", "returned", "voided"])), back))
    return sales, draw(st.permutations(happenings))


def heard(number: int, sale: Purchase, what: str, amount: int) -> Sale | Return:
    """The happening as it is heard of."""
    assert sale.day is not None
    assert sale.currency is not None
    purchase_id = UUID(int=number)
    if what == "bought":
        return Sale(purchase_id, sale.customer_id, sale.day, sale.currency, sale.total_minor or 0)
    return Return(an_id(), purchase_id, sale.customer_id, sale.day, sale.currency, amount, what == "voided")


@given(stories(), st.lists(st.integers(1, 4), min_size=20, max_size=20))
@settings(max_examples=200)
def test_any_order_of_events_and_however_many_at_once_give_the_state_of_the_whole_ledger(
    story: tuple[dict[int, Purchase], list[Happening]], sizes: list[int]
) -> None:
    sales, happenings = story
    events = [heard(number, sales[number], what, amount) for number, what, amount in happenings]
    known: dict[UUID, Purchase] = {}
    anna = Follower()
    for size in sizes:
        told, events = told_of_purchases(events[:size]), events[size:]
        before, known = known, {**known, **{name: known.get(name, Purchase()).joined(told[name]) for name in told}}
        anna.post(*(posting_of(before.get(name), known[name], EUR) for name in told))
    assert anna.state == state_of(anna.ledger)
    batch = the_batch(list(known.values()))
    assert [anna.ledger.get(day, NOTHING) for day in batch] == list(batch.values())
    assert anna.state == state_of(batch)


def the_batch(purchases: list[Purchase]) -> dict[date, Entry]:
    """The ledger, reckoned at once from everything that is known in the end."""
    ledger: dict[date, Entry] = {}
    for purchase in purchases:
        assert purchase.day is not None
        assert purchase.total_minor is not None
        net = purchase.total_minor - purchase.returned_minor if purchase.currency == EUR else 0
        whole = purchase.is_voided or (purchase.is_returned and purchase.returned_minor == purchase.total_minor)
        ledger[purchase.day] = ledger.get(purchase.day, NOTHING) + Entry(net, 0 if whole else 1)
    return ledger


def a_posting(net: int, opened: int, days: int) -> Posting:
    return Posting(CustomerId(UUID(int=1)), FIRST + timedelta(days=days), Entry(net, opened))


def test_only_the_end_of_a_first_or_last_occasion_reads_the_ledger_again() -> None:
    anna = Follower()
    for days in (3, 0, 5, 1, 4):
        anna.post(a_posting(100, 1, days))
    anna.post(a_posting(-100, -1, 3))
    anna.post(a_posting(-50, 0, 0))
    assert anna.read_again == 0
    anna.post(a_posting(-50, -1, 0))
    anna.post(a_posting(-100, -1, 5))
    assert anna.read_again == 2
    assert anna.state == BuyingState(2, 200, FIRST + timedelta(days=1), FIRST + timedelta(days=4), 100)


def test_the_summary_counts_in_days_as_the_papers_do() -> None:
    anna = Follower()
    for net, days in ((1000, 0), (700, 10), (300, 10), (500, 40)):
        anna.post(a_posting(net, 1, days))
    seen = summary_of(anna.state, FIRST + timedelta(days=100))
    assert seen is not None
    assert (seen.x, seen.t_x, seen.T, seen.repeat_minor, seen.total_minor) == (2, 40, 100, 1500, 2500)


@pytest.mark.parametrize(("looked_at", "seen"), [(40, 40), (39, 40), (-5, 40), (41, 41)])
def test_nobody_is_seen_from_before_their_last_occasion(looked_at: int, seen: int) -> None:
    anna = Follower()
    anna.post(a_posting(100, 1, 0))
    anna.post(a_posting(100, 1, 40))
    summary = summary_of(anna.state, FIRST + timedelta(days=looked_at))
    assert summary is not None
    assert seen == summary.T


def test_who_kept_nothing_has_no_summary() -> None:
    assert summary_of(BuyingState(total_minor=-5), FIRST) is None
