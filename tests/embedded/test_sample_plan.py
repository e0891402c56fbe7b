"""What becomes of a year's invoice lines: nothing is dropped in silence, and nobody real is named."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.samples.online_retail import wire
from regulars.samples.online_retail.calendar import Calendar, weeks_until
from regulars.samples.online_retail.lanes import LINES_PER_BATCH, lanes
from regulars.samples.online_retail.people import COUNTRIES, invent
from regulars.samples.online_retail.plan import Line, Plan, Reason, pence, plan, unmatched_lines
from regulars.samples.online_retail.rows import FILE, Row, read

LAST_DAY = date(2011, 12, 9)
TEN = datetime(2011, 3, 1, 10, 0)


@pytest.fixture(scope="module")
def year() -> Plan:
    return plan(read())


def a_line(
    invoice: str = "536365",
    sku: str = "85123A",
    quantity: int = 6,
    at: datetime = TEN,
    unit_price: float = 2.55,
    customer: int | None = 17850,
) -> Row:
    return Row(invoice, sku, quantity, at, unit_price, customer, "United Kingdom")


def test_every_line_of_the_year_is_sold_returned_or_set_aside_for_a_reason(year: Plan) -> None:
    assert (year.receipt_lines, year.cancellation_lines) == (530_099, 9_288)
    assert year.set_aside == {
        Reason.NO_PRICE: 1_179,
        Reason.STOCK_CORRECTION: 1_336,
        Reason.SUB_PENNY: 4,
        Reason.ADJUSTMENT: 3,
    }
    assert year.receipt_lines + year.cancellation_lines + sum(year.set_aside.values()) == 541_909


def test_the_year_has_its_receipts_cancellations_and_customers(year: Plan) -> None:
    assert (len(year.receipts), len(year.cancellations), len(year.customers)) == (19_959, 3_836, 4_372)
    assert max(len(receipt.lines) for receipt in year.receipts) == 1_114
    assert year.last.date() == LAST_DAY


def test_what_is_sent_comes_to_the_penny_to_what_the_file_says(year: Plan) -> None:
    kept = "InvoiceNo NOT LIKE 'A%' AND UnitPrice >= 0.01 AND (Quantity > 0 OR InvoiceNo LIKE 'C%')"
    amount = "sum(Quantity * CAST(UnitPrice AS DECIMAL(12, 2)))"
    with duckdb.connect() as connection:
        row = connection.execute(f"SELECT {amount} FROM read_parquet(?) WHERE {kept}", [str(FILE)]).fetchone()
    sold = sum(line.net_minor for receipt in year.receipts for line in receipt.lines)
    returned = sum(line.net_minor for cancellation in year.cancellations for line in cancellation.lines)
    assert row is not None
    assert sold - returned == row[0] * 100


def test_receipts_and_returns_are_within_the_limits_of_the_api(year: Plan) -> None:
    invoices = year.receipts + year.cancellations
    assert all(1 <= len(invoice.lines) <= 2_000 for invoice in invoices)
    assert all(line.quantity > 0 and line.net_minor > 0 for invoice in invoices for line in invoice.lines)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (a_line(invoice="A563186", unit_price=-11062.06), Reason.ADJUSTMENT),
        (a_line(unit_price=-1.0), Reason.ADJUSTMENT),
        (a_line(quantity=-3, unit_price=0.0), Reason.STOCK_CORRECTION),
        (a_line(invoice="C536379", quantity=1), Reason.STOCK_CORRECTION),
        (a_line(unit_price=0.0), Reason.NO_PRICE),
        (a_line(unit_price=0.001), Reason.SUB_PENNY),
    ],
)
def test_a_line_that_is_no_sale_and_no_return_is_set_aside(line: Row, reason: Reason) -> None:
    planned = plan([line])
    assert planned.set_aside == {reason: 1}
    assert not planned.receipts
    assert not planned.cancellations


def test_a_line_comes_to_its_quantity_times_its_price() -> None:
    receipt, cancellation = a_line(), a_line(invoice="C536379", quantity=-2, at=TEN + timedelta(days=1))
    planned = plan([receipt, cancellation])
    assert planned.receipts[0].lines == (Line("85123A", 6, 1530),)  # 6 x 2.55 = 15.30
    assert planned.cancellations[0].lines == (Line("85123A", 2, 510),)  # goods come back with a positive quantity


@given(st.integers(1, 4_000_000))
def test_a_price_in_whole_pennies_is_read_exactly(price_minor: int) -> None:
    assert pence(price_minor / 100) == price_minor
    assert pence(price_minor / 100 + 0.001) is None


def test_a_return_without_enough_sold_before_is_counted() -> None:
    sold = a_line(quantity=6)
    back = [a_line(invoice=f"C{day}", quantity=-4, at=TEN + timedelta(days=day)) for day in (1, 2)]
    too_early = a_line(invoice="C0", quantity=-1, at=TEN - timedelta(days=1))
    nobodys = a_line(invoice="C9", quantity=-1, at=TEN + timedelta(days=9), customer=None)
    assert unmatched_lines(plan([sold, back[0]])) == 0
    assert unmatched_lines(plan([sold, *back])) == 1  # 4 of 6 are back, the second 4 find only 2
    assert unmatched_lines(plan([sold, too_early])) == 1
    assert unmatched_lines(plan([sold._replace(customer=None), nobodys])) == 1


@given(st.dates(date(2012, 1, 1), date(2100, 1, 1)))
def test_the_last_day_moves_by_whole_weeks_into_the_week_before_the_first_start(first_start: date) -> None:
    moved = LAST_DAY + timedelta(weeks=weeks_until(LAST_DAY, first_start))
    this_monday = first_start - timedelta(days=first_start.weekday())
    assert this_monday - timedelta(days=7) <= moved < this_monday
    assert moved.weekday() == LAST_DAY.weekday()


def test_a_moved_receipt_keeps_its_weekday_and_the_shops_wall_clock() -> None:
    in_winter = datetime(2011, 3, 22, 10, 16)
    moved = Calendar(weeks=781).instant(in_winter)  # 781 weeks on it is 10 March 2026, still winter
    assert moved.isoformat() == "2026-03-10T10:16:00+00:00"
    assert Calendar(weeks=784).instant(in_winter).isoformat() == "2026-03-31T10:16:00+01:00"
    assert Calendar(weeks=0).instant(in_winter).isoformat() == "2011-03-22T10:16:00+00:00"
    assert Calendar(weeks=784).day(in_winter) == date(2026, 3, 31)


def test_everything_is_sent_once_and_each_customers_year_in_its_order(year: Plan) -> None:
    sent: Counter[str] = Counter()
    for lane in lanes(year):
        newest: dict[int, datetime] = {}
        for invoice in (invoice for step in lane for invoice in step.receipts + step.cancellations):
            sent[invoice.number] += 1
            if invoice.customer is not None:
                assert newest.get(invoice.customer, invoice.at) <= invoice.at
                newest[invoice.customer] = invoice.at
    assert sent == Counter(invoice.number for invoice in year.receipts + year.cancellations)


def test_a_customer_is_in_one_lane_and_a_batch_is_of_bounded_size(year: Plan) -> None:
    lane_of: dict[int, int] = {}
    for place, lane in enumerate(lanes(year)):
        for step in lane:
            assert bool(step.receipts) != bool(step.cancellations)
            assert sum(len(receipt.lines) for receipt in step.receipts) <= LINES_PER_BATCH
            for invoice in step.receipts + step.cancellations:
                assert invoice.customer is None or lane_of.setdefault(invoice.customer, place) == place


def test_the_same_people_are_invented_every_time_and_all_under_example_com(year: Plan) -> None:
    people = [invent(number, country) for number, country in year.customers.items()]
    assert people == [invent(number, country) for number, country in year.customers.items()]
    assert all(person.email.endswith("@example.com") for person in people)
    assert len({person.email for person in people}) == len(people)
    assert (people[0].name, people[0].card, people[0].country) == ("Olive Adair", "OR-12346", "GB")


def test_an_invented_customer_is_marked_as_invented() -> None:
    body = wire.customer(invent(12346, "United Kingdom"))
    assert "invented" in repr(body["tags"])
    assert "invented" in repr(body["consents"]) or body["consents"] == []


def test_every_country_of_the_file_has_its_code(year: Plan) -> None:
    assert set(year.customers.values()) - set(COUNTRIES) == {"Unspecified", "European Community"}
    assert all(len(code) == 2 for code in COUNTRIES.values())


def test_an_id_is_the_same_whenever_it_is_made() -> None:
    assert wire.named("receipt", "536365") == wire.named("receipt", "536365")
    assert wire.named("receipt", "536365") != wire.named("cancellation", "536365")


def test_the_data_is_as_it_was_published_and_names_its_author() -> None:
    digest = hashlib.sha256(FILE.read_bytes()).hexdigest()
    assert digest == "529dc689ffbdc3d2f84d3e2a3d89cccf86a941d1cd4cf9c4a0d9501db0535930"
    notice = Path(FILE.parent / "NOTICE").read_text(encoding="utf-8")
    assert all(words in notice for words in ("Chen, D. (2015)", "Online Retail", "UCI Machine Learning", "CC BY 4.0"))
