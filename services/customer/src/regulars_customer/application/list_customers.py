from __future__ import annotations

from collections.abc import Sequence

from regulars_customer.application.ports import Reads
from regulars_customer.domain.customer import Customer
from regulars_kit.values import CustomerId


async def list_customers(
    begin: Reads, *, tag: str | None, after: CustomerId | None, limit: int
) -> tuple[Sequence[Customer], CustomerId | None]:
    """A page of customers in the order they were registered, and after whom the next begins (None: it is the last).

    `tag` keeps those who bear it; None keeps all.
    """
    async with begin() as unit:
        # One more than asked for tells whether there is a next page, without counting.
        found = await unit.customers.page(tag=tag, after=after, limit=limit + 1)
    page = found[:limit]
    return page, page[-1].id if len(found) > limit else None
