"""What loyalty tells the others fits the published language, byte for byte, and names nobody."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import get_args
from uuid import UUID

import pytest

from builders import ANNA, a_document, a_line, a_purchase, an_id
from regulars_contracts.envelope import CloudEvent, parse
from regulars_contracts.events.loyalty import PurchaseRecorded
from regulars_contracts.personal_data import is_personal
from regulars_loyalty.adapters.bus.published import factor_text, message_of, quantity_text
from regulars_loyalty.domain import announcements as said
from regulars_loyalty.domain.programme_document import parse as read_programme
from regulars_loyalty.domain.purchase import Line

NOON = datetime(2026, 3, 14, 12, 0, 0, 250_000, tzinfo=UTC)
BALANCE = said.BalanceAfter(spendable=120, debt=0, account_seq=7)
LINES = (
    a_line(1999, line_id="1", quantity_milli=1000, category="shoes", discount_minor=100, cost_minor=900),
    a_line(333, line_id="2", quantity_milli=275),
)
PURCHASE = a_purchase(lines=LINES, channel="store")
RETURNED = (
    said.ReturnedLine("1", "SHOE-42", 1500, 1999, 19, 900),
    said.ReturnedLine(None, "SOCK", None, 100, 0),
)


def recorded(customer_id: UUID | None = ANNA) -> said.PurchaseRecorded:
    return said.PurchaseRecorded(
        purchase=PURCHASE,
        customer_id=customer_id,
        programme="club",
        wallet="points",
        earned=23,
        paid=5,
        line_points=(20, 3),
        tier="gold" if customer_id else None,
        coupons=("SPRING",),
        offers=("o-1",),
        balance=BALANCE if customer_id else None,
        is_late=True,
    )


def brought_back(customer_id: UUID | None = ANNA, purchase_id: UUID | None = PURCHASE.purchase_id) -> said.Announcement:
    return said.PurchaseReturned(
        return_id=an_id(),
        purchase_id=purchase_id,
        purchase_day=date(2026, 2, 10) if purchase_id else None,
        customer_id=customer_id,
        programme="club",
        wallet="points",
        business_date=date(2026, 3, 14),
        occurred_at=NOON,
        currency="EUR",
        lines=RETURNED,
        taken_back=19,
        restored=0,
        is_void=False,
        flags=() if purchase_id else ("unmatched_return",),
        balance=BALANCE if customer_id else None,
        is_late=False,
    )


def published() -> said.ProgrammePublished:
    document = a_document(
        stores=["berlin-mitte", "*"],
        tiers=[{"code": "base", "from": 0, "multiplier": "1"}, {"code": "gold", "from": 1000, "multiplier": "4/3"}],
    )
    return said.ProgrammePublished(read_programme(document, "club", 3), "0.25", "P14D")


ACCOUNT = (ANNA, "club", "points")
EXAMPLES: list[said.Announcement] = [
    recorded(),
    recorded(None),
    brought_back(),
    brought_back(None, None),
    said.PurchaseClaimed(PURCHASE, *ACCOUNT, earned=23, tier=None, balance=BALANCE, taken_back=3),
    said.PointsSpent(an_id(), *ACCOUNT, 100, NOON, BALANCE),
    said.PointsRestored(an_id(), *ACCOUNT, 100, 40, NOON, BALANCE),
    said.PointsExpired(*ACCOUNT, 100, NOON, BALANCE),
    said.PointsAdjusted(an_id(), *ACCOUNT, -100, None, NOON, BALANCE),
    said.PointsAdjusted(an_id(), *ACCOUNT, 100, NOON, NOON, BALANCE),
    said.BalanceChanged(*ACCOUNT, NOON, BALANCE),
    said.TierChanged(ANNA, "club", None, "gold", NOON, "qualified"),
    published(),
    said.FlagRaised(an_id(), "unmatched_return", NOON, "club", ANNA, "berlin-mitte", "till-1", an_id()),
]


def keys_of(node: object) -> set[str]:
    if isinstance(node, dict):
        return set(node) | {key for child in node.values() for key in keys_of(child)}
    return {key for child in node for key in keys_of(child)} if isinstance(node, list) else set()


def test_every_announcement_has_its_example() -> None:
    assert {type(example) for example in EXAMPLES} == set(get_args(said.Announcement))


@pytest.mark.parametrize("announcement", EXAMPLES, ids=lambda each: type(each).__name__)
def test_an_event_is_what_the_checked_writer_would_have_written(announcement: said.Announcement) -> None:
    message = message_of(announcement, NOON)
    read = parse(message.body)
    checked = CloudEvent.of(read.event(), source_service="loyalty", subject=message.key, time=NOON, id=message.event_id)
    assert message.body == checked.to_bytes()
    assert message.type == read.type


@pytest.mark.parametrize("announcement", EXAMPLES, ids=lambda each: type(each).__name__)
def test_an_event_names_nobody(announcement: said.Announcement) -> None:
    data = json.loads(message_of(announcement, NOON).body)["data"]
    assert [key for key in keys_of(data) if is_personal(key)] == []


def test_a_customers_events_are_in_the_order_of_the_customer() -> None:
    keys = {message_of(each, NOON).key for each in EXAMPLES if getattr(each, "customer_id", None) is not None}
    assert keys == {str(ANNA)}


def test_what_is_nobodys_goes_by_its_own_id() -> None:
    alone = brought_back(None, None)
    assert isinstance(alone, said.PurchaseReturned)
    assert message_of(recorded(None), NOON).key == str(PURCHASE.purchase_id)
    assert message_of(brought_back(None), NOON).key == str(PURCHASE.purchase_id), "a return follows its purchase"
    assert message_of(alone, NOON).key == str(alone.return_id)
    assert message_of(published(), NOON).key == "club"


def test_a_purchase_tells_its_lines_with_their_points() -> None:
    event = parse(message_of(recorded(), NOON).body).event()
    assert isinstance(event, PurchaseRecorded)
    assert [(line.quantity, line.net_minor, line.discount_minor, line.points) for line in event.lines] == [
        ("1", 1999, 100, 20),
        ("0.275", 333, 0, 3),
    ]
    assert (event.total_minor, event.earned, event.points_paid, event.late) == (2332, 23, 5, True)
    assert event.balance is not None
    assert event.balance.account_seq == 7


@pytest.mark.parametrize(
    ("milli", "text"), [(1000, "1"), (1500, "1.5"), (275, "0.275"), (10, "0.01"), (999_999_999_000, "999999999")]
)
def test_quantities_are_written_without_rounding(milli: int, text: str) -> None:
    assert quantity_text(milli) == text


@pytest.mark.parametrize(
    ("factor", "text"),
    [(Fraction(3, 2), "1.5"), (Fraction(1), "1"), (Fraction(1, 3), "1/3"), (Fraction(1, 8), "0.125")],
)
def test_factors_are_written_exactly(factor: Fraction, text: str) -> None:
    assert factor_text(factor) == text


def test_a_line_without_a_category_says_so() -> None:
    line = Line("1", "SKU", None, 1000, 0)
    told = said.PurchaseRecorded(
        a_purchase(lines=[line]), None, "club", "points", 0, 0, (0,), None, (), (), None, is_late=False
    )
    assert json.loads(message_of(told, NOON).body)["data"]["lines"][0]["category"] is None
