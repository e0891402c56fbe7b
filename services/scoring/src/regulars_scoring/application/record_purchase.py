from __future__ import annotations

from regulars_scoring.application.ports import House, Transactions
from regulars_scoring.application.posting import post
from regulars_scoring.domain.purchases import Sale, posting_of


async def record_purchase(sale: Sale, begin: Transactions, house: House) -> None:
    """Take a purchase into its customer's state. Nobody's is kept until it is claimed; a known one changes nothing."""
    async with begin() as unit:
        currency = await unit.reporting_currency(sale.currency)
        purchase = await unit.facts.record(sale)
        if purchase is not None:
            await post(unit, posting_of(None, purchase, currency), house)
