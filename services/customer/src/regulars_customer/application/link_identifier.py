from __future__ import annotations

from regulars_customer.application.keeping import keep, refuse_taken
from regulars_customer.application.locking import locked
from regulars_customer.application.ports import Transactions
from regulars_customer.domain.customer import link
from regulars_customer.domain.identifiers import Claim, Held
from regulars_kit.values import Clock, CustomerId


async def link_identifier(customer_id: CustomerId, claim: Claim, begin: Transactions, now: Clock) -> tuple[Held, bool]:
    """Link an identifier to the customer; True when it is new. Linked before, it may become verified, or no longer.

    Raises `UnknownCustomer`, `IdentifierTaken`, `TooManyEntries`.
    """
    async with begin() as unit:
        revision, linked = link(await locked(unit, customer_id), claim, at=now())
        refuse_taken([claim], await keep(unit, [revision]), pointer="/value")
        if revision.is_changed and not revision.linked:
            await unit.customers.mark(linked)
    return linked, bool(revision.linked)
