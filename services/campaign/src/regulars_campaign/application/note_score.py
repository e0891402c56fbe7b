from __future__ import annotations

from regulars_campaign.application.noting import noting
from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.domain.heard import Score
from regulars_campaign.domain.rules import Facet
from regulars_kit.values import CustomerId


async def note_score(customer_id: CustomerId, score: Score, begin: Transactions, now: Now) -> None:
    """Keep a customer's newest score."""
    async with noting(customer_id, Facet.SCORES, begin, now) as unit:
        await unit.customers.put_score(customer_id, score)
