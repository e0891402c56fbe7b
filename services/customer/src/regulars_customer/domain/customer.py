"""A customer, and the changes one can undergo: each answers with the customer after it and the facts to tell."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from regulars_customer.domain import consents
from regulars_customer.domain.consents import Consent, Decision
from regulars_customer.domain.facts import (
    ConsentChanged,
    CustomerRegistered,
    Fact,
    IdentifierLinked,
    IdentifierUnlinked,
    Origin,
    TraitsChanged,
)
from regulars_customer.domain.identifiers import Claim, Held, Identifier
from regulars_customer.domain.profile import BLANK, Amendment, Profile, refuse_impossible_birth
from regulars_customer.domain.refusals import ChangedMeanwhile, TooManyEntries
from regulars_kit.values import CustomerId, new_id

MOST_IDENTIFIERS = 50


@dataclass(frozen=True, slots=True)
class Customer:
    """`consents` is the whole ledger, oldest first. `version` counts changes of profile and identifiers, from 1."""

    id: CustomerId
    profile: Profile
    identifiers: tuple[Held, ...]
    consents: tuple[Consent, ...]
    origin: Origin
    registered_at: datetime
    changed_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Registration:
    """What a shop tells of a customer. `known_by`, one of the claims, tells whether they are known already.

    None: they are taken for new.
    """

    amend: Amendment
    origin: Origin
    claims: tuple[Claim, ...] = ()
    decisions: tuple[Decision, ...] = ()
    known_by: Identifier | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """A change of a customer: how they stood (None: they are new) and stand, what is new, what is to be told."""

    before: Customer | None
    customer: Customer
    linked: tuple[Held, ...]
    consents: tuple[Consent, ...]
    facts: tuple[Fact, ...]

    @property
    def is_changed(self) -> bool:
        """Has a known customer another profile or other identifiers than before?"""
        return self.before is not None and self.before.version != self.customer.version


def register(registration: Registration, at: datetime) -> Revision:
    """A new customer. An identifier given twice counts once. Raises `BadProfile`, `TooManyEntries`."""
    profile = _amended(BLANK, registration.amend, at)
    held = _unheld((), registration.claims, at)
    records = consents.news((), registration.decisions, at)
    # Ids are ours alone: of version 7, so that customers list in the order they came.
    customer = Customer(CustomerId(new_id()), profile, held, records, registration.origin, at, at)
    told = CustomerRegistered(
        customer.id, at, tuple(link.identifier for link in held), profile.traits, registration.origin
    )
    return Revision(None, customer, held, records, (told, *_told_consents(customer.id, records)))


def revise(customer: Customer, registration: Registration, at: datetime) -> Revision:
    """A known customer told of again: what is new is added, nothing is taken away; the origin stays the first one."""
    return _revised(customer, at, registration.amend, registration.claims, registration.decisions)


def amend(customer: Customer, amendment: Amendment, at: datetime) -> Revision:
    """The customer with another profile. There are no facts to tell when no trait changed: a name is in no event."""
    return _revised(customer, at, amendment)


def decide(customer: Customer, decision: Decision, at: datetime) -> Revision:
    """The customer with what they decided. Said again, it adds no record."""
    return _revised(customer, at, decisions=(decision,))


def link(customer: Customer, claim: Claim, at: datetime) -> tuple[Revision, Held]:
    """The customer with the identifier. Held before, its link stays and takes on what is claimed of its proof.

    Raises `TooManyEntries`.
    """
    linked = _unheld(customer.identifiers, [claim], at)
    links = tuple(
        replace(held, is_verified=claim.is_verified) if held.identifier.key == claim.identifier.key else held
        for held in (*customer.identifiers, *linked)
    )
    after = _changed(customer, at, customer.profile, links)
    mine = next(held for held in links if held.identifier.key == claim.identifier.key)
    return Revision(customer, after, linked, (), _told_links(customer.id, linked)), mine


def unlink(customer: Customer, link: Held, at: datetime) -> Revision:
    """The customer without the identifier `link`, which they hold."""
    after = _changed(customer, at, customer.profile, tuple(held for held in customer.identifiers if held != link))
    return Revision(customer, after, (), (), (IdentifierUnlinked(customer.id, at, link.identifier),))


def refuse_other_version(customer: Customer, seen: Collection[int] | None) -> None:
    """Raise `ChangedMeanwhile` unless the customer is at one of the versions `seen`; None: whatever it is."""
    if seen is not None and customer.version not in seen:
        raise ChangedMeanwhile("the customer was changed meanwhile; read it again")


def _revised(
    customer: Customer,
    at: datetime,
    amendment: Amendment | None = None,
    claims: Sequence[Claim] = (),
    decisions: Sequence[Decision] = (),
) -> Revision:
    profile = _amended(customer.profile, amendment, at) if amendment else customer.profile
    linked = _unheld(customer.identifiers, claims, at)
    records = consents.news(customer.consents, decisions, at)
    after = _changed(customer, at, profile, (*customer.identifiers, *linked))
    after = replace(after, consents=(*after.consents, *records))
    told = _told_traits(customer, profile, at) + _told_links(customer.id, linked)
    return Revision(customer, after, linked, records, told + _told_consents(customer.id, records))


def _amended(profile: Profile, amendment: Amendment, at: datetime) -> Profile:
    amended = amendment(profile)
    refuse_impossible_birth(amended, at.astimezone(UTC).date())
    return amended


def _unheld(held: Sequence[Held], claims: Sequence[Claim], at: datetime) -> tuple[Held, ...]:
    known = {link.identifier.key for link in held}
    fresh = {claim.identifier.key: claim for claim in claims if claim.identifier.key not in known}
    if len(known) + len(fresh) > MOST_IDENTIFIERS:
        raise TooManyEntries(f"a customer holds at most {MOST_IDENTIFIERS} identifiers", field="/identifiers")
    return tuple(Held(new_id(), claim.identifier, claim.is_verified, at) for claim in fresh.values())


def _changed(customer: Customer, at: datetime, profile: Profile, identifiers: tuple[Held, ...]) -> Customer:
    if profile == customer.profile and identifiers == customer.identifiers:
        return customer
    return replace(customer, profile=profile, identifiers=identifiers, changed_at=at, version=customer.version + 1)


def _told_traits(customer: Customer, profile: Profile, at: datetime) -> tuple[Fact, ...]:
    return (TraitsChanged(customer.id, at, profile.traits),) if profile.traits != customer.profile.traits else ()


def _told_links(customer_id: CustomerId, linked: Sequence[Held]) -> tuple[Fact, ...]:
    return tuple(IdentifierLinked(customer_id, link.linked_at, link.identifier) for link in linked)


def _told_consents(customer_id: CustomerId, records: Sequence[Consent]) -> tuple[Fact, ...]:
    return tuple(ConsentChanged(customer_id, record.recorded_at, record) for record in records)
