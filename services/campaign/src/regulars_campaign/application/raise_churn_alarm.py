from __future__ import annotations

from regulars_campaign.application.following import due_message
from regulars_campaign.application.noting import noting
from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.domain.campaigns import Trigger
from regulars_campaign.domain.rules import Facet
from regulars_kit.values import CustomerId


async def raise_churn_alarm(customer_id: CustomerId, begin: Transactions, now: Now) -> None:
    """The customer is about to be lost: the campaigns that wait for this owe them a message."""
    async with noting(customer_id, Facet.SCORES, begin, now) as unit:
        campaigns = await unit.campaigns.triggered(Trigger.CHURN_RISK_RAISED)
        due = [due_message(campaign, customer_id, now()) for campaign in campaigns]
        if due:
            await unit.messages.add_due(due)
