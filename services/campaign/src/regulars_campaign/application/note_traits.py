from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from regulars_campaign.application.noting import noting
from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.domain.rules import Facet
from regulars_kit.values import CustomerId


async def note_traits(
    customer_id: CustomerId, traits: Mapping[str, object], at: datetime, begin: Transactions, now: Now
) -> None:
    """Keep a customer's traits, all of them, as they stood at an instant. Older ones than those kept change nothing."""
    async with noting(customer_id, Facet.TRAITS, begin, now) as unit:
        await unit.customers.put_traits(customer_id, traits, at)
