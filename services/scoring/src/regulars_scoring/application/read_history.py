from __future__ import annotations

from collections.abc import Sequence

from regulars_kit.values import CustomerId
from regulars_scoring.application.identify import identified
from regulars_scoring.application.ports import HistoryEntry, Reads


async def read_history(customer_id: CustomerId, before: int | None, limit: int, begin: Reads) -> Sequence[HistoryEntry]:
    """What was published of the customer, under any of their ids, the newest first. Raises `UnknownCustomer`."""
    async with begin() as unit:
        return await unit.customers.history(await identified(customer_id, unit), before, limit)
