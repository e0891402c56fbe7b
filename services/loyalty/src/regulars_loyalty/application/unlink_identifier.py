"""Forget whose card, phone or e-mail it was. What was earned under it stays where it is."""

from __future__ import annotations

from uuid import UUID

from regulars_loyalty.application.answering import in_one_unit
from regulars_loyalty.application.ports import Begin, LoyaltyUnit


async def unlink_identifier(identifier_hash: str, customer_id: UUID, begin: Begin) -> None:
    """Forget the link, unless the identifier went to somebody else meanwhile."""

    async def work(unit: LoyaltyUnit) -> None:
        await unit.unlink_identifier(identifier_hash, customer_id)

    await in_one_unit(begin, work)
