from __future__ import annotations

from collections.abc import Sequence

from regulars_customer.application.ports import Reads
from regulars_customer.domain.customer import Customer
from regulars_customer.domain.identifiers import Identifier


async def search_customers(identifier: Identifier, begin: Reads) -> Sequence[Customer]:
    """The one customer who holds exactly this identifier, or nobody."""
    async with begin() as unit:
        holders = await unit.customers.holders([identifier])
        return list((await unit.customers.load(holders.values())).values())
