"""A shop of four kinds of customers, whose every figure can be reckoned by hand; seen from 30 June 2026."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from regulars_contracts.events.loyalty import PurchaseRecorded
from scoring.shop import TODAY, a_sale

MONTHLY, LAPSED, FIRST, BACK = "monthly", "lapsed", "first", "back"

BOUGHT: Mapping[str, tuple[int, int, Sequence[int]]] = {
    MONTHLY: (20, 1000, (100, 70, 40, 10)),
    LAPSED: (10, 2000, (100, 45)),
    FIRST: (10, 500, (15,)),
    BACK: (10, 3000, (200, 20)),
}
"""How many there are, what each paid at each visit in cents, and how many days ago they came."""

CUSTOMERS = sum(count for count, _, _ in BOUGHT.values())
REVENUE = sum(count * paid * len(ages) for count, paid, ages in BOUGHT.values())


def one_of(kind: str, number: int = 0) -> UUID:
    return UUID(int=1000 * (1 + list(BOUGHT).index(kind)) + number)


def a_club() -> list[PurchaseRecorded]:
    return [
        a_sale(paid, TODAY - timedelta(days=age), one_of(kind, number))
        for kind, (count, paid, ages) in BOUGHT.items()
        for number in range(count)
        for age in ages
    ]
