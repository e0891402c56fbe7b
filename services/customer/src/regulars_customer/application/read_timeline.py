from __future__ import annotations

from collections.abc import Collection, Sequence

from regulars_customer.application.ports import Reads
from regulars_customer.domain.refusals import UnknownCustomer
from regulars_customer.domain.timeline import Entry, Kind, Place
from regulars_kit.values import CustomerId


async def read_timeline(
    customer_id: CustomerId, begin: Reads, *, kinds: Collection[Kind], before: Place | None, limit: int
) -> tuple[Sequence[Entry], Place | None]:
    """A page of what happened, newest first, and the place before which the next page ends (None: it is the last).

    `kinds` keeps these alone. Raises `UnknownCustomer`.
    """
    async with begin() as unit:
        if not await unit.customers.load([customer_id]):
            raise UnknownCustomer("no customer has this id")
        found = await unit.picture.timeline(customer_id, kinds, before, limit + 1)
    page = found[:limit]
    return page, (page[-1].occurred_at, page[-1].event_id) if len(found) > limit else None
