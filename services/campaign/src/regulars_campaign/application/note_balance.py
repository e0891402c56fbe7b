from __future__ import annotations

from regulars_campaign.application.noting import noting
from regulars_campaign.application.ports import Now, Transactions
from regulars_campaign.domain.heard import Balance
from regulars_campaign.domain.rules import Facet
from regulars_kit.values import CustomerId


async def note_balance(customer_id: CustomerId, balance: Balance, begin: Transactions, now: Now) -> None:
    """Keep the points that a customer can spend; of two balances the one after the later posting is the newer."""
    async with noting(customer_id, Facet.BALANCE, begin, now) as unit:
        await unit.customers.put_balance(customer_id, balance)
