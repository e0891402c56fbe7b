from __future__ import annotations

from uuid import UUID

from regulars_kit.values import CustomerId
from regulars_scoring.application.ports import House, Transactions
from regulars_scoring.application.posting import post
from regulars_scoring.domain.purchases import posting_of


async def claim_purchase(purchase_id: UUID, customer_id: CustomerId, begin: Transactions, house: House) -> None:
    """Give a purchase that was nobody's to its customer. It may come before the purchase, and then waits for it."""
    async with begin() as unit:
        purchase = await unit.facts.claim(purchase_id, customer_id)
        if purchase is not None and purchase.currency is not None:
            currency = await unit.reporting_currency(purchase.currency)
            await post(unit, posting_of(None, purchase, currency), house)
