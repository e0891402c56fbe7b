"""What a return takes back and gives back (P6): exactly what its lines earned, and what was paid for them in points.

Each line's take is cumulative, floor(points x returned so far) - taken before, so that any sequence of partial
returns ends at the whole.
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from math import floor
from uuid import UUID

from regulars_loyalty.domain.account import Account, Bought, Bucket, Cause, LineTaking, Standing
from regulars_loyalty.domain.calendar import local_day
from regulars_loyalty.domain.facts import PurchaseReturned
from regulars_loyalty.domain.programme import Shortage, Version
from regulars_loyalty.domain.spending import restore


def take(bought: Bought, line: int, share: Fraction) -> LineTaking:
    """Take a share (0 to what is left, 1 is the whole line) of a line, and remember it as returned."""
    before = bought.returned[line]
    after = min(before + share, Fraction(1))
    bought.returned[line] = after

    def part(whole: int) -> int:
        return floor(whole * after) - floor(whole * before)

    price = bought.price
    return LineTaking(
        bought.purchase_id,
        line,
        part(price.line_points[line]),
        part(price.line_paid[line]),
        part(price.line_credits[line]),
        part(bought.net_minor[line]),
    )


def take_back(account: Account, fact: PurchaseReturned, version: Version) -> None:
    """Fold a return: first the points paid for the lines come back, then what the lines earned is taken."""
    takings = [take(account.bought[share.purchase_id], share.line, share.share) for share in fact.shares]
    account.takings[fact.fact_id] = takings
    by_purchase: dict[UUID, list[LineTaking]] = {}
    for taking in takings:
        by_purchase.setdefault(taking.purchase_id, []).append(taking)
    for purchase_id, lines in by_purchase.items():
        paid = sum(line.paid for line in lines)
        if paid:
            restore(account, account.spends[purchase_id], paid, fact.at, fact.fact_id, version, Cause.RETURN)
    for purchase_id, lines in by_purchase.items():
        _claw_back(account, sum(line.points for line in lines), purchase_id, fact.at, fact.fact_id, version.shortage)
        year = local_day(account.bought[purchase_id].at, version.zone).year
        account.standings.setdefault(year, Standing()).add(-sum(line.credit for line in lines))


def _claw_back(
    account: Account, points: int, purchase_id: UUID, at: datetime, fact_id: UUID, shortage: Shortage
) -> None:
    """The purchase's own lots first, then the others in spending order, then debt or, clamped, a write-off."""
    lots = account.open_lots()
    for lot in sorted(lots, key=lambda lot: lot.origin != purchase_id):
        taken = min(points, lot.remaining)
        if taken == 0:
            break
        account.draw(lot, taken, at, fact_id, Cause.RETURN, Bucket.CLAWED_BACK)
        points -= taken
    if points and shortage is Shortage.DEBT:
        account.borrow(points, at, fact_id, Cause.RETURN, Bucket.CLAWED_BACK)
    elif points:
        account.write_off(points, at, fact_id, Cause.RETURN)
