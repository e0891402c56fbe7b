"""The one way to a customer that is about to change: whose row is locked, so that their facts keep their order."""

from __future__ import annotations

from regulars_customer.application.ports import Unit
from regulars_customer.domain.customer import Customer
from regulars_customer.domain.refusals import UnknownCustomer
from regulars_kit.values import CustomerId


async def locked(unit: Unit, customer_id: CustomerId) -> Customer:
    """The customer, changed by nobody else until the end of the transaction. Raises `UnknownCustomer`."""
    found = await unit.customers.lock([customer_id])
    if customer_id not in found:
        raise UnknownCustomer("no customer has this id")
    return found[customer_id]
