"""Remember whose cards, phones and e-mails these are; purchases that waited for one find their customer."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from regulars_kit.values import Clock
from regulars_loyalty.application.claim_purchase import give
from regulars_loyalty.application.ports import Begin


async def link_identifiers(identifier_hashes: Sequence[str], customer_id: UUID, begin: Begin, now: Clock) -> int:
    """Link keyed hashes to a customer, in one transaction; answers how many waiting purchases earned now."""
    async with begin() as unit:
        claimed = 0
        for identifier_hash in identifier_hashes:
            await unit.link_identifier(identifier_hash, customer_id)
            for purchase_id in await unit.unclaimed(identifier_hash):
                await give(unit, purchase_id, customer_id, now())
                claimed += 1
        return claimed
