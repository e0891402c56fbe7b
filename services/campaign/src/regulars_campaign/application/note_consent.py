from __future__ import annotations

from datetime import datetime

from regulars_campaign.application.noting import noting
from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.domain.rules import Facet, HasConsent
from regulars_kit.values import CustomerId


async def note_consent(
    customer_id: CustomerId, way: HasConsent, is_granted: bool, at: datetime, begin: Transactions, now: Now
) -> None:
    """Keep a customer's yes or no to one purpose on one channel; the later one holds."""
    async with noting(customer_id, Facet.CONSENTS, begin, now) as unit:
        await unit.customers.put_consent(customer_id, way, is_granted=is_granted, at=at)
