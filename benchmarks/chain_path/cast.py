"""Who buys: regulars who were here lately, and as many lapsed customers as the load has purchases.

Each purchase of the load is by another lapsed customer. The regulars are a quarter of all, so the best fifth by recency
is theirs and every lapsed customer is outside of it; buying today brings any of them in. So each purchase of the load
changes a score, and each brings a customer into the segment of those with recency 5: none is left out of the count.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from purchase_path.shop import CURRENCY, LINES, STORE

_LAPSED_DAYS = (200, 330)
_REGULAR_DAYS = (1, 90)
_EARLIER_DAYS = (10, 60)
"""How long before their last purchase those with two made the other one."""

_LAPSED_WITH_TWO = 4
"""Every fourth of the lapsed had come back once; a regular always."""


@dataclass(frozen=True, slots=True)
class Cast:
    lapsed: Sequence[UUID]
    regulars: Sequence[UUID]

    @property
    def size(self) -> int:
        return len(self.lapsed) + len(self.regulars)


def a_cast(purchases: int, chance: random.Random) -> Cast:
    """Enough lapsed customers for so many purchases."""
    ids = [UUID(int=chance.getrandbits(128), version=4) for _ in range(purchases + max(1, purchases // 3))]
    return Cast(ids[:purchases], ids[purchases:])


def history(cast: Cast, now: datetime, chance: random.Random) -> list[Mapping[str, object]]:
    """Every customer's purchases before today, the oldest first."""
    bought = [
        *_past(cast.lapsed, _LAPSED_DAYS, _LAPSED_WITH_TWO, now, chance),
        *_past(cast.regulars, _REGULAR_DAYS, 1, now, chance),
    ]
    receipts = sorted(bought, key=lambda one: one[0])
    return [_past_receipt(at, customer, number) for number, (at, customer) in enumerate(receipts)]


def _past(
    customers: Sequence[UUID], days: tuple[int, int], with_two: int, now: datetime, chance: random.Random
) -> Iterator[tuple[datetime, UUID]]:
    """When they bought: once so many days ago, every `with_two`-th of them once before that."""
    for place, customer in enumerate(customers):
        last = now - timedelta(days=chance.uniform(*days))
        yield last, customer
        if place % with_two == 0:
            yield last - timedelta(days=chance.uniform(*_EARLIER_DAYS)), customer


def receipt(customer: UUID, receipt_no: str, day: str) -> dict[str, object]:
    """The purchase of three lines that `make bench-purchase` records too."""
    return {
        "store": STORE,
        "till": "1",
        "receipt_no": receipt_no,
        "business_date": day,
        "customer": {"id": str(customer)},
        "currency": CURRENCY,
        "lines": [
            {"line_id": str(place), "sku": sku, "category": category, "quantity": 1, "net_minor": net_minor}
            for place, (sku, category, net_minor) in enumerate(LINES, start=1)
        ],
    }


def _past_receipt(at: datetime, customer: UUID, number: int) -> Mapping[str, object]:
    return receipt(customer, f"past-{number}", at.date().isoformat()) | {"occurred_at": at.isoformat()}


def ndjson(receipts: Sequence[Mapping[str, object]]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in receipts)


def today() -> str:
    return datetime.now(UTC).date().isoformat()
