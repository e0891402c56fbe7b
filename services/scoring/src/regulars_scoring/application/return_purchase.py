from __future__ import annotations

from regulars_scoring.application.ports import House, Transactions, Unit
from regulars_scoring.application.posting import post
from regulars_scoring.domain.purchases import Posting, Return, posting_of, posting_of_unmatched


async def return_purchase(given: Return, begin: Transactions, house: House) -> None:
    """Take back what came back, on its purchase's day; what matched no purchase, on its own.

    It may come before its purchase, and then waits for it. One that is known changes nothing.
    """
    async with begin() as unit:
        currency = await unit.reporting_currency(given.currency)
        await post(unit, await _posting(unit, given, currency), house)


async def _posting(unit: Unit, given: Return, currency: str) -> Posting | None:
    if given.purchase_id is None:
        is_new = await unit.facts.keep_unmatched(given)
        return posting_of_unmatched(given, currency) if is_new else None
    change = await unit.facts.take_back(given)
    return None if change is None else posting_of(change.before, change.after, currency)
