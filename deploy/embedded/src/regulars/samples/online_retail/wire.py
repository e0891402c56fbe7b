"""The bodies sent to the API: the programme, a customer, a purchase, a return."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from regulars.samples.online_retail.calendar import Calendar
from regulars.samples.online_retail.people import SOURCE, TAG, Person
from regulars.samples.online_retail.plan import Invoice

PROGRAMME = "online-retail"
STORE = "online"
TILL = "web-1"
CHANNEL = "web"
CURRENCY = "GBP"

# What is charged beside goods, by the file's own stock codes, so that a rule can tell it from goods.
CATEGORIES = {
    "POST": "postage",
    "DOT": "postage",
    "C2": "postage",
    "M": "manual",
    "m": "manual",
    "S": "sample",
    "D": "discount",
    "AMAZONFEE": "fee",
    "BANK CHARGES": "fee",
    "CRUK": "fee",
}

_NAMES = uuid5(NAMESPACE_URL, "urn:regulars:samples:online-retail")


def named(kind: str, number: str | int) -> UUID:
    """The id of something in the sample: always the same, so that what is sent twice is a replay."""
    return uuid5(_NAMES, f"{kind}/{number}")


def programme(first: datetime, calendar: Calendar) -> dict[str, object]:
    """One point a pound, kept twelve months, in force from the day before the first receipt."""
    return {
        "effective_from": (calendar.day(first) - timedelta(days=1)).isoformat(),
        "time_zone": "Europe/London",
        "stores": ["*"],
        "wallet": "points",
        "earn": {CURRENCY: "1"},
        "point_value": {CURRENCY: "0.01"},
        "expires": {"after": "P12M", "from": "earned"},
        "pending": "P0D",
        "return_period": "P14D",
        "tiers": [
            {"code": "base", "from": 0, "multiplier": "1"},
            {"code": "silver", "from": 1_000, "multiplier": "1.25"},
            {"code": "gold", "from": 5_000, "multiplier": "1.5"},
        ],
        "qualify": {"by": "base_points", "period": "calendar_year", "on_return": "revoke"},
        "rules": [{"code": "welcome", "when": {"first_purchase": True}, "bonus": 50}],
        "policies": {"debt": "debt", "late": "no-rerate", "grace_days": 0},
    }


def customer(person: Person) -> dict[str, object]:
    """A line of `POST /v1/customers:batch`, marked as invented."""
    return {
        "name": person.name,
        "traits": {"country": person.country} if person.country else {},
        "tags": [TAG],
        "identifiers": [
            {"kind": "external", "source": SOURCE, "value": str(person.number)},
            {"kind": "card", "value": person.card},
            {"kind": "email", "value": person.email},
        ],
        "consents": [
            {"purpose": purpose, "channel": channel, "granted": True, "wording_version": TAG, "source": SOURCE}
            for purpose, channel in person.consents
        ],
        "source": SOURCE,
    }


def purchase(receipt: Invoice, calendar: Calendar, customers: Mapping[int, str]) -> dict[str, object]:
    """A line of `POST /v1/purchases:batch`. Without a customer when nobody was named."""
    return {
        "purchase_id": str(named("receipt", receipt.number)),
        **_slip(receipt, calendar, customers),
        "channel": CHANNEL,
        "lines": [
            {
                "line_id": str(place),
                "sku": line.sku,
                **({"category": CATEGORIES[line.sku]} if line.sku in CATEGORIES else {}),
                "quantity": line.quantity,
                "net_minor": line.net_minor,
            }
            for place, line in enumerate(receipt.lines, start=1)
        ],
    }


def purchase_return(cancellation: Invoice, calendar: Calendar, customers: Mapping[int, str]) -> dict[str, object]:
    """The body of `POST /v1/returns`: goods by SKU, since a cancellation does not say which receipt it is about."""
    return {
        "return_id": str(named("cancellation", cancellation.number)),
        **_slip(cancellation, calendar, customers),
        "lines": [line._asdict() for line in cancellation.lines],
    }


def _slip(invoice: Invoice, calendar: Calendar, customers: Mapping[int, str]) -> dict[str, object]:
    """What a receipt and a return slip have in common."""
    named_customer = {} if invoice.customer is None else {"customer": {"id": customers[invoice.customer]}}
    return {
        "store": STORE,
        "till": TILL,
        "receipt_no": invoice.number,
        "business_date": calendar.day(invoice.at).isoformat(),
        "occurred_at": calendar.instant(invoice.at).isoformat(),
        "currency": CURRENCY,
        **named_customer,
    }
