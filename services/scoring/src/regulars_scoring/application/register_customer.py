from __future__ import annotations

from datetime import datetime

from regulars_kit.values import CustomerId
from regulars_scoring.application.ports import Transactions


async def register_customer(customer_id: CustomerId, at: datetime, begin: Transactions) -> None:
    """Know the customer, who may have bought before this was heard."""
    async with begin() as unit:
        await unit.customers.register(customer_id, at)
