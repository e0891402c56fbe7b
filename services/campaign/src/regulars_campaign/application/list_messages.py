from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from regulars_campaign.application.ports import Transactions
from regulars_campaign.domain.messages import Message
from regulars_kit.values import CustomerId


async def list_messages(
    begin: Transactions, *, customer_id: CustomerId | None, campaign_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[Message]:
    """The next messages, in the order in which they became due; None does not limit whose or which campaign's."""
    async with begin() as unit:
        return await unit.messages.page(customer_id=customer_id, campaign_id=campaign_id, after=after, limit=limit)
