"""Between the rows of the tables and the values of the domain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from regulars_customer.domain.consents import Channel, Consent, Decision, Purpose
from regulars_customer.domain.customer import Customer
from regulars_customer.domain.facts import Origin
from regulars_customer.domain.identifiers import Held, Identifier, IdentifierKind
from regulars_customer.domain.profile import Profile
from regulars_kit.values import CustomerId, Money

Row = Mapping[str, Any]


def row_of(customer: Customer) -> dict[str, Any]:
    """The customer's row in `customers`."""
    cost = customer.origin.acquisition_cost
    return {
        **profile_row_of(customer),
        "source": customer.origin.source,
        "acquisition_cost_minor": cost.minor if cost else None,
        "currency": cost.currency if cost else None,
        "registered_at": customer.registered_at,
    }


def profile_row_of(customer: Customer) -> dict[str, Any]:
    """That part of the row which a change may alter, with the id."""
    profile = customer.profile
    return {
        "id": customer.id,
        "name": profile.name,
        "given_name": profile.given_name,
        "family_name": profile.family_name,
        "birth_date": profile.birth_date,
        "birth_month": profile.birth_month,
        "language": profile.language,
        "time_zone": profile.time_zone,
        "country": profile.country,
        "city": profile.city,
        "tags": list(profile.tags),
        "attributes": dict(profile.attributes),
        "changed_at": customer.changed_at,
        "version": customer.version,
    }


def consent_row_of(customer_id: CustomerId, record: Consent) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "purpose": record.decision.purpose,
        "channel": record.decision.channel,
        "is_granted": record.decision.is_granted,
        "source": record.decision.source,
        "wording_version": record.decision.wording_version,
        "recorded_at": record.recorded_at,
    }


def customers_of(
    rows: Iterable[RowMapping], identifiers: Iterable[RowMapping], consents: Iterable[RowMapping]
) -> dict[CustomerId, Customer]:
    """The customers of `rows`, in their order, each with what the two other tables hold of them."""
    held: defaultdict[UUID, list[Held]] = defaultdict(list)
    records: defaultdict[UUID, list[Consent]] = defaultdict(list)
    for row in identifiers:
        held[row["customer_id"]].append(_held(row))
    for row in consents:
        records[row["customer_id"]].append(_consent(row))
    return {row["id"]: _customer(row, held[row["id"]], records[row["id"]]) for row in rows}


def _customer(row: RowMapping, held: list[Held], records: list[Consent]) -> Customer:
    cost = row["acquisition_cost_minor"]
    return Customer(
        id=row["id"],
        profile=_profile(row),
        identifiers=tuple(held),
        consents=tuple(records),
        origin=Origin(row["source"], None if cost is None else Money(cost, row["currency"])),
        registered_at=row["registered_at"],
        changed_at=row["changed_at"],
        version=row["version"],
    )


def _profile(row: RowMapping) -> Profile:
    return Profile(
        name=row["name"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        birth_date=row["birth_date"],
        birth_month=row["birth_month"],
        language=row["language"],
        time_zone=row["time_zone"],
        country=row["country"],
        city=row["city"],
        tags=tuple(row["tags"]),
        attributes=row["attributes"],
    )


def _held(row: RowMapping) -> Held:
    identifier = Identifier(IdentifierKind(row["kind"]), row["value"], row["hash"])
    return Held(row["id"], identifier, row["is_verified"], row["linked_at"])


def _consent(row: RowMapping) -> Consent:
    decision = Decision(
        Purpose(row["purpose"]), Channel(row["channel"]), row["is_granted"], row["source"], row["wording_version"]
    )
    return Consent(decision, row["recorded_at"])
