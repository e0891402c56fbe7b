"""What customers cost, as it becomes known: goods and points of their purchases, other points, messages, acquisition.

A point costs its value when it is given, and gives it back when it is taken back or expires; spending it changes
nothing. What a day's goods and points come to in money is for the terms of their programme to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal
from uuid import UUID

from regulars_kit.values import CustomerId


@dataclass(frozen=True, slots=True)
class LineCosts:
    """Lines whose cost the till has said: their net, and that cost, in minor units."""

    costed_minor: int = 0
    cost_minor: int = 0

    def __add__(self, other: LineCosts) -> LineCosts:
        return LineCosts(self.costed_minor + other.costed_minor, self.cost_minor + other.cost_minor)


NO_LINE_COSTS = LineCosts()

CostKind = Literal["acquisition", "message"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Money spent on one customer. `id` is the message's, or of an acquisition the customer's: each counts once."""

    kind: CostKind
    id: UUID
    customer_id: CustomerId
    day: date
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PointsMoved:
    """Points given otherwise than by a purchase, or (below 0) gone otherwise than by a return or by being spent.

    The account's posting `account_seq` tells them apart.
    """

    customer_id: CustomerId
    programme: str
    wallet: str
    account_seq: int
    cause: Literal["earned", "adjusted", "expired"]
    day: date
    points: int


@dataclass(frozen=True, slots=True)
class Terms:
    """A programme's version, in force from its day until the next one's; the first one for what was before, too.

    `margin_rate` is the share of the net that is margin where a line says no cost; None where none is declared.
    `point_value` is what a point is worth in major units, by currency.
    """

    programme: str
    version: int
    effective_from: date
    margin_rate: Fraction | None
    point_value: Mapping[str, Fraction]
