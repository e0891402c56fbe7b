"""What scoring tells the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from regulars_kit.values import CustomerId
from regulars_scoring.domain.scoring import Figures


@dataclass(frozen=True, slots=True)
class CustomerScored:
    customer_id: CustomerId
    run_id: UUID
    as_of: date
    at: datetime
    model: str
    figures: Figures
    currency: str


@dataclass(frozen=True, slots=True)
class ChurnRiskRaised:
    customer_id: CustomerId
    run_id: UUID
    at: datetime
    churn_hundredths: int


@dataclass(frozen=True, slots=True)
class RunCompleted:
    run_id: UUID
    as_of: date
    model: str
    customers: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ErasureCompleted:
    customer_id: CustomerId
    at: datetime


Fact = CustomerScored | ChurnRiskRaised | RunCompleted | ErasureCompleted


def told_of(customer_id: CustomerId, before: Figures | None, after: CustomerScored) -> list[Fact]:
    """What is to be said when a customer's figures become those: nothing when they are as they were.

    The alarm is raised on entering the high churn band, and again only after the customer has left it.
    """
    facts: list[Fact] = [] if before == after.figures else [after]
    if after.figures.is_high_risk and not (before is not None and before.is_high_risk):
        facts.append(ChurnRiskRaised(customer_id, after.run_id, after.at, after.figures.churn_hundredths))
    return facts
