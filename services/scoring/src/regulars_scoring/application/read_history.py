from __future__ import annotations

from collections.abc import Sequence

from regulars_kit.values import CustomerId
from regulars_scoring.application.ports import HistoryEntry, Reads
from regulars_scoring.domain.refusals import UnknownCustomer


async def read_history(customer_id: CustomerId, before: int | None, limit: int, begin: Reads) -> Sequence[HistoryEntry]:
    """What was published of the customer, the newest first. Raises `UnknownCustomer`."""
    async with begin() as unit:
        if await unit.customers.find(customer_id) is None:
            raise UnknownCustomer("nobody has registered or bought under this id")
        return await unit.customers.history(customer_id, before, limit)
