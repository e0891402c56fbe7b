"""Read how a customer stands with the tiers: the one held, until when, and what the next one takes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from regulars_kit.values import Clock
from regulars_loyalty.application.ports import Begin
from regulars_loyalty.application.publish_programme import View
from regulars_loyalty.application.read_account import account_at, one_account
from regulars_loyalty.domain.account import Account, Standing
from regulars_loyalty.domain.calendar import local_day, year_start
from regulars_loyalty.domain.programme import Version
from regulars_loyalty.domain.tiers import tier_held


async def read_tier(customer_id: UUID, programme: str | None, wallet: str | None, begin: Begin, now: Clock) -> View:
    """The tier of the account named, or of the only one. Raises UnknownCustomer, UnknownProgramme."""
    async with begin() as unit:
        passbook = await one_account(unit, customer_id, programme, wallet)
        at = now()
        account = await account_at(unit, passbook, at, None, None)
        version = (await unit.programmes()).named(passbook.owner.programme).at(at)
        return {"programme": version.programme, "wallet": passbook.owner.wallet, **_view(account, version, at)}


def _view(account: Account, version: Version, at: datetime) -> View:
    year = local_day(at, version.zone).year
    progress = account.standings.get(year, Standing()).total
    following = next((tier for tier in version.tiers if tier.threshold > progress), None)
    held = version.tier(account.tier)
    above = following if held is None or following is None or following.threshold > held.threshold else None
    return {
        "tier": account.tier,
        "qualify_by": version.qualify_by,
        "period": str(year),
        "progress": progress,
        "next_tier": above and above.code,
        "missing": above and above.threshold - progress,
        "kept_until": _kept_until(account, version, year),
    }


def _kept_until(account: Account, version: Version, year: int) -> str | None:
    """The turn of the year at which the tier is judged again; a tier reached this year is kept through the next."""
    if not version.tiers or account.tier == version.tiers[0].code:
        return None
    reached_now = tier_held(version, {year: account.standings.get(year, Standing())}, year)
    is_fresh = reached_now is not None and reached_now.code == account.tier
    return year_start(year + (2 if is_fresh else 1), version.zone).isoformat()
