from __future__ import annotations

from regulars_customer.application.keeping import keep, refuse_taken
from regulars_customer.application.ports import Call, Registered, Transactions, Unit
from regulars_customer.domain.customer import Registration, register
from regulars_kit.values import Clock


async def register_customer(registration: Registration, call: Call, begin: Transactions, now: Clock) -> Registered:
    """Take up a new customer. The same call a second time is answered as the first.

    Raises `IdentifierTaken` when another customer holds one of the identifiers, and what `register` raises.
    """
    async with begin() as unit:
        return await unit.once(call, lambda: _register(unit, registration, now))


async def _register(unit: Unit, registration: Registration, now: Clock) -> Registered:
    revision = register(registration, at=now())
    refuse_taken(registration.claims, await keep(unit, [revision]))
    return Registered(revision.customer.id, revision.customer.registered_at, revision.customer.version)
