from __future__ import annotations

from uuid import UUID

from regulars_campaign.application.following import follow
from regulars_campaign.application.noting import taken
from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.domain.heard import Balance
from regulars_campaign.domain.rules import Facet
from regulars_kit.values import CustomerId


async def note_claim(
    purchase_id: UUID, customer_id: CustomerId, balance: Balance, begin: Transactions, now: Now
) -> None:
    """A purchase that was nobody's has its customer, with all that came back of it; it may be heard of later."""
    async with begin() as unit:
        await unit.deeds.touch_purchase(purchase_id, customer_id, is_void=False)
        facets = await taken(unit, customer_id, [Facet.PURCHASES, Facet.RETURNS, Facet.BALANCE])
        await unit.deeds.roll_up(customer_id, purchase_id, [])
        await unit.customers.put_balance(customer_id, balance)
        await follow(unit, [customer_id], facets, now())
