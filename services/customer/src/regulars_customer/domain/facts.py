"""What customer tells the others. Of an identifier the adapters publish its hash, never its value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from regulars_customer.domain.consents import Consent
from regulars_customer.domain.identifiers import Identifier
from regulars_customer.domain.life_cycle import Stage
from regulars_customer.domain.profile import Traits
from regulars_kit.values import CustomerId, Money


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a customer came from (`web`, `till`, `import` …), and what it cost to win them (None: nobody knows)."""

    source: str
    acquisition_cost: Money | None = None


@dataclass(frozen=True, slots=True)
class CustomerRegistered:
    customer_id: CustomerId
    at: datetime
    identifiers: tuple[Identifier, ...]
    traits: Traits
    origin: Origin


@dataclass(frozen=True, slots=True)
class TraitsChanged:
    """`traits` are all of them as they now stand, not the difference."""

    customer_id: CustomerId
    at: datetime
    traits: Traits


@dataclass(frozen=True, slots=True)
class IdentifierLinked:
    customer_id: CustomerId
    at: datetime
    identifier: Identifier


@dataclass(frozen=True, slots=True)
class IdentifierUnlinked:
    customer_id: CustomerId
    at: datetime
    identifier: Identifier


@dataclass(frozen=True, slots=True)
class ConsentChanged:
    customer_id: CustomerId
    at: datetime
    consent: Consent


@dataclass(frozen=True, slots=True)
class StageChanged:
    """`at` is when we found it out, `changed_at` since when they have been in the new stage."""

    customer_id: CustomerId
    at: datetime
    from_stage: Stage
    to_stage: Stage
    reason: str
    changed_at: datetime


Fact = CustomerRegistered | TraitsChanged | IdentifierLinked | IdentifierUnlinked | ConsentChanged | StageChanged
