"""Read the lots that still have points, in the order in which they will be spent."""

from __future__ import annotations

from uuid import UUID

from regulars_kit.values import Clock
from regulars_loyalty.application.ports import Begin
from regulars_loyalty.application.publish_programme import View
from regulars_loyalty.application.read_account import account_at, accounts_named
from regulars_loyalty.domain.account import Lot


async def read_lots(
    customer_id: UUID, programme: str | None, wallet: str | None, begin: Begin, now: Clock
) -> list[View]:
    """Open lots of the accounts named, soonest expiry first (P3). Raises UnknownCustomer."""
    async with begin() as unit:
        lots = []
        for passbook in await accounts_named(unit, customer_id, programme, wallet):
            account = await account_at(unit, passbook, now(), None, None)
            lots += [_view(lot) for lot in account.open_lots()]
        return lots


def _view(lot: Lot) -> View:
    return {
        "lot_id": str(lot.lot_id),
        "origin": str(lot.origin),
        "issued": lot.issued,
        "remaining": lot.remaining,
        "activated_at": lot.activated_at.isoformat(),
        "expires_at": lot.expires_at and lot.expires_at.isoformat(),
    }
