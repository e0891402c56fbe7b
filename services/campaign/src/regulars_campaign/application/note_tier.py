from __future__ import annotations

from datetime import datetime

from regulars_campaign.application.noting import noting
from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.domain.rules import Facet
from regulars_kit.values import CustomerId


async def note_tier(
    customer_id: CustomerId, programme: str, tier: str, at: datetime, begin: Transactions, now: Now
) -> None:
    """Keep the tier that a customer reached in a programme, or fell to."""
    async with noting(customer_id, Facet.TIER, begin, now) as unit:
        await unit.customers.put_tier(customer_id, programme, tier, at)
