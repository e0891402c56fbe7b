"""Write down what time alone has made true: points past their date, tiers past their year.

A late run changes no answer, because every reader and every new fact works the same out for itself (P4).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from regulars_kit.values import Clock
from regulars_loyalty.application.accepting import settle, side_effects
from regulars_loyalty.application.ports import Begin, Writing

# A shop that sends an old year in order would find its accounts expired under it, and every receipt late: an account
# that is being written to is left alone until it is quiet.
_QUIET = timedelta(minutes=1)


async def expire_points(begin: Begin, now: Clock, *, limit: int = 500) -> int:
    """Bring up to `limit` accounts to the present; answers how many there were, so that a caller can go on."""
    at = now()
    async with begin() as unit:
        due = await unit.due_accounts(at, at - _QUIET, limit)
    for account_id in due:
        await _settle(account_id, begin, at)
    return len(due)


async def _settle(account_id: UUID, begin: Begin, at: datetime) -> None:
    async with begin() as unit:
        passbook = await unit.lock_account(account_id)
        await unit.load_lots(passbook)
        programme = (await unit.programmes()).named(passbook.owner.programme)
        tier_before = passbook.account.tier
        postings = settle(passbook, programme, at)
        said = side_effects(passbook, None, postings, tier_before, at)
        await unit.write(Writing(passbooks=[passbook], announcements=said))
