from __future__ import annotations

from zoneinfo import ZoneInfo

from regulars_campaign.application.following import follow
from regulars_campaign.application.noting import taken
from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.domain.calendar import Moment
from regulars_campaign.domain.heard import Balance, Purchase
from regulars_campaign.domain.rules import Facet


async def note_purchase(
    purchase: Purchase, balance: Balance | None, zone: ZoneInfo, begin: Transactions, now: Now
) -> None:
    """Keep a purchase, and reckon its customer's roll-ups again. Nobody's purchase waits until it is claimed."""
    day = Moment.of(purchase.at, zone).today
    async with begin() as unit:
        customer_id = await unit.deeds.add_purchase(purchase, day)
        if customer_id is None:
            return
        facets = await taken(unit, customer_id, [Facet.PURCHASES, Facet.RETURNS, Facet.BALANCE])
        await unit.deeds.roll_up(customer_id, purchase.id, [day])
        if balance is not None:
            await unit.customers.put_balance(customer_id, balance)
        await follow(unit, [customer_id], facets, now())
