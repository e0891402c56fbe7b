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
    held = version.tiers[0]
    best = max(
        held.threshold,
        _qualified(version, standings.get(year - 1, _NOTHING)),
        _qualified(version, standings.get(year, _NOTHING)),
    )
    for tier in version.tiers:
        if held.threshold <= tier.threshold <= best:
            held = tier
    return held


def _qualified(version: Version, standing: Standing) -> int:
    return standing.peak if version.on_return is OnReturn.GUARANTEE else standing.total


def retier(account: Account, version: Version, year: int) -> bool:
    """Write down the tier that holds now; True when it is another one than before."""
    held = tier_held(version, account.standings, year)
    before = version.tier(account.tier)
    account.tier = held.code if held else None
    return held is not before
