"""The shop of the benchmark: its customers, its programme, and the purchase of three lines that everybody records."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from uuid import UUID

CUSTOMERS = 10_000
CURRENCY = "EUR"
CODE = "main"
STORE = "berlin-1"
LINES = (("shoes-42", "shoes", 4_999), ("socks-3", "clothes", 1_290), ("laces-1", None, 350))
"""SKU, category and minor units of each line. `purchase.lua` sends the same."""

PROGRAMME = {
    "effective_from": "2020-01-01",
    "time_zone": "Europe/Berlin",
    "stores": ["*"],
    "wallet": "points",
    "earn": {CURRENCY: "1"},
    "point_value": {CURRENCY: "0.01"},
    "expires": {"after": "P12M", "from": "earned"},
    "tiers": [{"code": "base", "from": 0, "multiplier": "1"}, {"code": "gold", "from": 1000, "multiplier": "1.5"}],
    "qualify": {"by": "base_points", "period": "calendar_year", "on_return": "revoke"},
    "rules": [
        {"code": "x2-shoes", "when": {"category": ["shoes"], "from": "2020-03-01"}, "multiplier": "2"},
        {"code": "welcome", "when": {"first_purchase": True}, "bonus": 50},
    ],
}


def customer_id(number: int) -> UUID:
    """The id of customer 1 to `CUSTOMERS`; PostgreSQL computes the same one in `purchase.sql`."""
    return UUID(md5(f"customer {number}".encode()).hexdigest())


def write_customers(path: Path) -> None:
    """The ids, one a line, for the load generator."""
    path.write_text("".join(f"{customer_id(number)}\n" for number in range(1, CUSTOMERS + 1)))


def first_purchases(first: int, last: int) -> bytes:
    """One purchase of each customer from number `first` to `last` as NDJSON: it opens the account."""
    return b"".join(json.dumps(_first_purchase(number)).encode() + b"\n" for number in range(first, last + 1))


def _first_purchase(number: int) -> dict[str, object]:
    return {
        "store": STORE,
        "till": "1",
        "receipt_no": f"first-{number}",
        "business_date": f"{datetime.now(UTC):%Y-%m-%d}",
        "customer": {"id": str(customer_id(number))},
        "currency": CURRENCY,
        "lines": [
            {"line_id": str(place), "sku": sku, "category": category, "quantity": 1, "net_minor": net_minor}
            for place, (sku, category, net_minor) in enumerate(LINES, start=1)
        ],
    }
