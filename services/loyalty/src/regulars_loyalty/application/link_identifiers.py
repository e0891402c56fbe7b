"""Remember whose cards, phones and e-mails these are; purchases that waited for one find their customer."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from regulars_kit.values import Clock
from regulars_loyalty.application.answering import in_one_unit
from regulars_loyalty.application.claim_purchase import give
from regulars_loyalty.application.ports import Begin, LoyaltyUnit


async def link_identifiers(identifier_hashes: Sequence[str], customer_id: UUID, begin: Begin, now: Clock) -> int:
    """Link keyed hashes to a customer, in one transaction; answers how many waiting purchases earned now."""

    async def work(unit: LoyaltyUnit) -> int:
        await unit.link_identifiers(identifier_hashes, customer_id)
        waiting = await unit.unclaimed(identifier_hashes)
        for purchase_id in waiting:
            await give(unit, purchase_id, customer_id, now())
        return len(waiting)

    return await in_one_unit(begin, work)
