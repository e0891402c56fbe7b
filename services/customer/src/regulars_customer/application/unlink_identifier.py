from __future__ import annotations

from uuid import UUID

from regulars_customer.application.keeping import keep
from regulars_customer.application.locking import locked
from regulars_customer.application.ports import Transactions
from regulars_customer.domain.customer import unlink
from regulars_customer.domain.refusals import UnknownIdentifier
from regulars_kit.values import Clock, CustomerId


async def unlink_identifier(customer_id: CustomerId, link_id: UUID, begin: Transactions, now: Clock) -> None:
    """Let go of an identifier; another customer may hold it from now on.

    Raises `UnknownCustomer`, `UnknownIdentifier`.
    """
    async with begin() as unit:
        customer = await locked(unit, customer_id)
        for link in customer.identifiers:
            if link.id == link_id:
                await unit.customers.unlink(link)
                await keep(unit, [unlink(customer, link, at=now())])
                return
        raise UnknownIdentifier("the customer holds no identifier with this id")
