"""What clients get."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from regulars_customer.domain.consents import Channel, Consent, Purpose, current
from regulars_customer.domain.customer import Customer
from regulars_customer.domain.identifiers import Held, IdentifierKind
from regulars_customer.domain.profile import AttributeValue, Traits


class ReceiptOut(BaseModel):
    """Names nobody: it is kept with the idempotency key. `GET` the id for the customer."""

    id: UUID
    registered_at: datetime
    version: int


class IdentifierOut(BaseModel):
    id: UUID
    kind: IdentifierKind
    source: str | None
    value: str
    verified: bool
    linked_at: datetime

    @classmethod
    def of(cls, held: Held) -> Self:
        identifier = held.identifier
        return cls(
            id=held.id,
            kind=identifier.kind,
            source=identifier.source,
            value=identifier.reference,
            verified=held.is_verified,
            linked_at=held.linked_at,
        )


class TraitsOut(BaseModel):
    country: str | None
    city: str | None
    language: str | None
    birth_month: int | None
    tags: tuple[str, ...]

    @classmethod
    def of(cls, traits: Traits) -> Self:
        return cls(
            country=traits.country,
            city=traits.city,
            language=traits.language,
            birth_month=traits.birth_month,
            tags=traits.tags,
        )


class CustomerOut(BaseModel):
    id: UUID
    name: str | None
    given_name: str | None
    family_name: str | None
    birth_date: date | None
    language: str | None
    time_zone: str | None
    traits: TraitsOut
    tags: tuple[str, ...]
    attributes: dict[str, AttributeValue]
    identifiers: list[IdentifierOut]
    source: str
    acquisition_cost_minor: int | None
    currency: str | None
    registered_at: datetime
    changed_at: datetime
    version: int

    @classmethod
    def of(cls, customer: Customer) -> Self:
        profile, cost = customer.profile, customer.origin.acquisition_cost
        return cls(
            id=customer.id,
            name=profile.name,
            given_name=profile.given_name,
            family_name=profile.family_name,
            birth_date=profile.birth_date,
            language=profile.language,
            time_zone=profile.time_zone,
            traits=TraitsOut.of(profile.traits),
            tags=profile.tags,
            attributes=dict(profile.attributes),
            identifiers=[IdentifierOut.of(held) for held in customer.identifiers],
            source=customer.origin.source,
            acquisition_cost_minor=cost.minor if cost else None,
            currency=cost.currency if cost else None,
            registered_at=customer.registered_at,
            changed_at=customer.changed_at,
            version=customer.version,
        )


class CustomersOut(BaseModel):
    items: list[CustomerOut]
    next_cursor: str | None = None


class ConsentOut(BaseModel):
    """`recorded_at` None: nothing was ever said, and so it is not granted."""

    purpose: Purpose
    channel: Channel
    granted: bool
    source: str | None = None
    wording_version: str | None = None
    recorded_at: datetime | None = None

    @classmethod
    def of(cls, record: Consent) -> Self:
        decision = record.decision
        return cls(
            purpose=decision.purpose,
            channel=decision.channel,
            granted=decision.is_granted,
            source=decision.source,
            wording_version=decision.wording_version,
            recorded_at=record.recorded_at,
        )


class ConsentsOut(BaseModel):
    """`items`: what holds now for every purpose and channel. `records`: the ledger, oldest first."""

    items: list[ConsentOut]
    records: list[ConsentOut]

    @classmethod
    def of(cls, records: Sequence[Consent]) -> Self:
        holding = current(records)
        items = [
            ConsentOut.of(holding[purpose, channel])
            if (purpose, channel) in holding
            else ConsentOut(purpose=purpose, channel=channel, granted=False)
            for purpose in Purpose
            for channel in Channel
        ]
        return cls(items=items, records=[ConsentOut.of(record) for record in records])
