from __future__ import annotations

from regulars_customer.application.ports import Reads
from regulars_customer.domain.customer import Customer
from regulars_customer.domain.refusals import UnknownCustomer
from regulars_kit.values import CustomerId


async def read_customer(customer_id: CustomerId, begin: Reads) -> Customer:
    """The customer as they stand. Raises `UnknownCustomer`."""
    async with begin() as unit:
        found = await unit.customers.load([customer_id])
    if customer_id not in found:
        raise UnknownCustomer("no customer has this id")
    return found[customer_id]
