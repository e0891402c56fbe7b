"""Forget whose card, phone or e-mail it was. What was earned under it stays where it is."""

from __future__ import annotations

from uuid import UUID

from regulars_loyalty.application.ports import Begin


async def unlink_identifier(identifier_hash: str, customer_id: UUID, begin: Begin) -> None:
    """Forget the link, unless the identifier went to somebody else meanwhile."""
    async with begin() as unit:
        await unit.unlink_identifier(identifier_hash, customer_id)
