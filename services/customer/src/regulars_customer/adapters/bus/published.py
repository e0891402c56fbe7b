"""Facts as the other services hear them: ids, keyed hashes and traits, and nothing that names a person."""

from __future__ import annotations

from functools import singledispatch

from regulars_contracts.envelope import envelope
from regulars_contracts.events import Event
from regulars_contracts.events.customer import (
    ConsentChanged,
    IdentifierHash,
    IdentifierLinked,
    IdentifierUnlinked,
    Registered,
    StageChanged,
    TraitsChanged,
)
from regulars_customer.domain import facts
from regulars_customer.domain.identifiers import Identifier
from regulars_customer.domain.profile import Traits
from regulars_kit.bus import Message
from regulars_kit.values import new_id

SERVICE = "customer"
TOPIC = "regulars.customer"


def message_of(fact: facts.Fact) -> Message:
    """The fact as an event on its way, keyed by its customer; each call makes another event id."""
    event = event_of(fact)
    event_id = new_id()
    body = envelope(event, source_service=SERVICE, subject=fact.customer_id, time=fact.at, id=event_id).to_bytes()
    return Message(event_id, event.type, str(fact.customer_id), body)


@singledispatch
def event_of(fact: object) -> Event:
    """The published event that tells of the fact."""
    raise TypeError(f"no event tells of {type(fact).__name__}")


@event_of.register
def _(fact: facts.CustomerRegistered) -> Event:
    cost = fact.origin.acquisition_cost
    return Registered(
        customer_id=fact.customer_id,
        registered_at=fact.at,
        identifiers=[_hash(identifier) for identifier in fact.identifiers],
        source=fact.origin.source,
        acquisition_cost_minor=cost.minor if cost else None,
        currency=cost.currency if cost else None,
        traits=traits_of(fact.traits),
    )


@event_of.register
def _(fact: facts.TraitsChanged) -> Event:
    return TraitsChanged(customer_id=fact.customer_id, traits=traits_of(fact.traits), occurred_at=fact.at)


@event_of.register
def _(fact: facts.IdentifierLinked) -> Event:
    identifier = fact.identifier
    return IdentifierLinked(
        customer_id=fact.customer_id, kind=identifier.kind, hash=identifier.hash, occurred_at=fact.at
    )


@event_of.register
def _(fact: facts.IdentifierUnlinked) -> Event:
    identifier = fact.identifier
    return IdentifierUnlinked(
        customer_id=fact.customer_id, kind=identifier.kind, hash=identifier.hash, occurred_at=fact.at
    )


@event_of.register
def _(fact: facts.ConsentChanged) -> Event:
    decision = fact.consent.decision
    return ConsentChanged(
        customer_id=fact.customer_id,
        purpose=decision.purpose,
        channel=decision.channel,
        granted=decision.is_granted,
        wording_version=decision.wording_version,
        source=decision.source,
        occurred_at=fact.at,
    )


@event_of.register
def _(fact: facts.StageChanged) -> Event:
    return StageChanged(
        customer_id=fact.customer_id,
        from_stage=fact.from_stage,
        to_stage=fact.to_stage,
        reason=fact.reason,
        changed_at=fact.changed_at,
    )


def traits_of(traits: Traits) -> dict[str, str | int | list[str]]:
    """The traits that are known, by name; no tags is a missing `tags`."""
    known: dict[str, str | int | list[str] | None] = {
        "country": traits.country,
        "city": traits.city,
        "language": traits.language,
        "birth_month": traits.birth_month,
        "tags": list(traits.tags) or None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _hash(identifier: Identifier) -> IdentifierHash:
    return IdentifierHash(kind=identifier.kind, hash=identifier.hash)
