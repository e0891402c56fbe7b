from __future__ import annotations

from datetime import datetime

from regulars_campaign.application.noting import noting
from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.domain.rules import Facet
from regulars_kit.values import CustomerId


async def note_stage(customer_id: CustomerId, stage: str, at: datetime, begin: Transactions, now: Now) -> None:
    """Keep where a customer's life cycle stands."""
    async with noting(customer_id, Facet.STAGE, begin, now) as unit:
        await unit.customers.put_stage(customer_id, stage, at)
