"""What is heard of the shop: each event in our own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from regulars_kit.values import CustomerId
from regulars_scoring.domain.costs import Cost, PointsMoved, Terms
from regulars_scoring.domain.purchases import Claim, Return, Sale


@dataclass(frozen=True, slots=True)
class Registration:
    """Somebody is a customer, who may have bought before this was heard."""

    customer_id: CustomerId
    at: datetime
    acquisition: Cost | None = None


Heard = Sale | Claim | Return | Registration | Cost | PointsMoved | Terms
