from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from regulars_customer.application.keeping import keep, refuse_taken
from regulars_customer.application.ports import IdentifierKey, Transactions
from regulars_customer.domain.customer import Customer, Registration, Revision, register, revise
from regulars_customer.domain.identifiers import Identifier
from regulars_customer.domain.refusals import ExternalIdRequired
from regulars_kit.values import Clock, CustomerId, Unavailable

# Each attempt lost means that another one won: more than two need the id to be taken, let go and taken again.
_ATTEMPTS = 5


class Contended(Exception):
    """Several tell of one customer at once: roll back, and tell it again one by one."""


@dataclass(frozen=True, slots=True)
class Upserted:
    customer_id: CustomerId
    registered_at: datetime
    version: int
    is_new: bool


async def upsert_by_external_id(registration: Registration, begin: Transactions, now: Clock) -> Upserted:
    """Register the customer, or add what is new when `registration.known_by` is known: nothing is taken away.

    Raises `ExternalIdRequired`, `IdentifierTaken`, and what `register` and `revise` raise.
    """
    for _ in range(_ATTEMPTS):
        with suppress(Contended):
            return (await upsert_together([registration], begin, now))[0]
    raise Unavailable("the customer is being changed by others; try again")


async def upsert_together(registrations: Sequence[Registration], begin: Transactions, now: Clock) -> list[Upserted]:
    """The same for several in one transaction: all of them, or none when it raises. Raises also `Contended`."""
    names = [_name_of(registration) for registration in registrations]
    _refuse_doubles([name.key for name in names])
    async with begin() as unit:
        holders = await unit.customers.holders(names)
        _refuse_doubles(list(holders.values()))
        known = await unit.customers.lock(holders.values())
        at = now()
        revisions = [
            _told(known.get(holders[name.key]) if name.key in holders else None, registration, at)
            for name, registration in zip(names, registrations, strict=True)
        ]
        _refuse_contended(registrations, await keep(unit, revisions))
    return [_upserted(revision) for revision in revisions]


def _name_of(registration: Registration) -> Identifier:
    if registration.known_by is None:
        raise ExternalIdRequired("an external id must tell whether the customer is known", field="/identifiers")
    return registration.known_by


def _told(customer: Customer | None, registration: Registration, at: datetime) -> Revision:
    return register(registration, at) if customer is None else revise(customer, registration, at)


def _refuse_doubles(names: Sequence[Hashable]) -> None:
    if len(set(names)) < len(names):
        raise Contended("two of them tell of one customer")


def _refuse_contended(registrations: Sequence[Registration], taken: frozenset[IdentifierKey]) -> None:
    if not taken:
        return
    if len(registrations) > 1 or _name_of(registrations[0]).key in taken:
        raise Contended("somebody else was faster with one of the identifiers")
    refuse_taken(registrations[0].claims, taken)


def _upserted(revision: Revision) -> Upserted:
    customer = revision.customer
    return Upserted(customer.id, customer.registered_at, customer.version, is_new=revision.before is None)
