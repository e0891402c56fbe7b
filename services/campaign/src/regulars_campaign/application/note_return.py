from __future__ import annotations

from zoneinfo import ZoneInfo

from regulars_campaign.application.following import follow
from regulars_campaign.application.noting import taken
from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.domain.calendar import Moment
from regulars_campaign.domain.heard import Balance, Return
from regulars_campaign.domain.rules import Facet


async def note_return(said: Return, balance: Balance | None, zone: ZoneInfo, begin: Transactions, now: Now) -> None:
    """Keep goods that came back; a cancelled receipt was no purchase. The purchase may be heard of later."""
    day = Moment.of(said.at, zone).today
    async with begin() as unit:
        customer_id = said.customer_id
        if said.purchase_id is not None:
            owner = await unit.deeds.touch_purchase(said.purchase_id, said.customer_id, is_void=said.is_void)
            customer_id = customer_id or owner
        await unit.deeds.add_return(said, day)
        if customer_id is None:
            return
        facets = await taken(unit, customer_id, [Facet.PURCHASES, Facet.RETURNS, Facet.BALANCE])
        await unit.deeds.roll_up(customer_id, said.purchase_id, [day])
        if balance is not None:
            await unit.customers.put_balance(customer_id, balance)
        await follow(unit, [customer_id], facets, now())
