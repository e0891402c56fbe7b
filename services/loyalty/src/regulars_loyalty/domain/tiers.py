"""Which tier an account holds (P10): what last year qualified for, or this year so far, whichever is higher.

A tier reached in a calendar year is kept to the end of the next one; then the ended year decides, however far down.
"""

from __future__ import annotations

from regulars_loyalty.domain.account import Account, Standing
from regulars_loyalty.domain.programme import OnReturn, Tier, Version

_NOTHING = Standing()


def tier_held(version: Version, standings: dict[int, Standing], year: int) -> Tier | None:
    """The tier held in a local calendar year, by the standings so far. None where the programme has no tiers."""
    if not version.tiers:
        return None
    best = max(_qualified(version, standings.get(each, _NOTHING)) for each in (year - 1, year))
    return max((tier for tier in version.tiers if tier.threshold <= best), key=lambda tier: tier.threshold)


def _qualified(version: Version, standing: Standing) -> int:
    counted = standing.peak if version.on_return is OnReturn.GUARANTEE else standing.total
    return max(counted, version.tiers[0].threshold)


def retier(account: Account, version: Version, year: int) -> bool:
    """Write down the tier that holds now; True when it is another one than before."""
    held = tier_held(version, account.standings, year)
    before = version.tier(account.tier)
    account.tier = held.code if held else None
    return held != before
