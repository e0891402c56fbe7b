"""Points that leave lots and points that come back to them (P3, P5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from regulars_loyalty.domain.account import Account, Bucket, Cause, Lot, Spend
from regulars_loyalty.domain.calendar import day_start, local_day, lot_expiry
from regulars_loyalty.domain.programme import Version

Slices = list[tuple[UUID | None, int]]

# Which bucket holds what a spend took; a return's tender and a redemption come back from the same one.
_SOURCE = Bucket.REDEEMED


def consume(account: Account, points: int, at: datetime, fact_id: UUID, target: Bucket, cause: Cause) -> Slices:
    """Take points from the lots in spending order, the rest from debt; answers which lot gave what."""
    slices: Slices = []
    for lot in account.open_lots():
        taken = min(points, lot.remaining)
        if taken == 0:
            break
        account.draw(lot, taken, at, fact_id, cause, target)
        slices.append((lot.lot_id, taken))
        points -= taken
    if points:
        account.borrow(points, at, fact_id, cause, target)
        slices.append((None, points))
    return slices


def restore(
    account: Account, spend: Spend, points: int, at: datetime, fact_id: UUID, version: Version, cause: Cause
) -> None:
    """Give points back to the lots they came from, the last one taken first, each with its own expiry (P5).

    They pay debt first. What is past its date expires at once, unless grace days give it a later one.
    """
    skip = spend.restored
    spend.restored += points
    for lot_id, taken in reversed(spend.slices):
        skipped = min(skip, taken)
        skip -= skipped
        back = min(points, taken - skipped)
        if back:
            _give_back(account, lot_id, back, at, fact_id, version, cause)
            points -= back


def _give_back(
    account: Account, lot_id: UUID | None, points: int, at: datetime, fact_id: UUID, version: Version, cause: Cause
) -> None:
    if lot_id is None:
        _settle_borrowed(account, points, at, fact_id, version, cause)
        return
    lot = account.lots[lot_id]
    expires_at = _with_grace(lot.expires_at, at, version)
    if expires_at != lot.expires_at:
        # The rest of the lot keeps its date, so points with grace become a lot of their own.
        child = Lot(uuid5(lot_id, str(fact_id)), lot.origin, points, 0, lot.activated_at, expires_at)
        account.issue(child, at, fact_id, cause, _SOURCE)
        return
    account.put_back(lot, points, at, fact_id, cause, _SOURCE)
    if lot.expires_at is not None and lot.expires_at <= at:
        if lot.remaining:
            account.draw(lot, lot.remaining, at, lot.lot_id, Cause.EXPIRY, Bucket.EXPIRED)
    else:
        account.due(lot.expires_at)


def _with_grace(own: datetime | None, at: datetime, version: Version) -> datetime | None:
    if own is None or version.grace_days == 0:
        return own
    grace = day_start(local_day(at, version.zone) + timedelta(days=version.grace_days), version.zone)
    return max(own, grace)


def _settle_borrowed(
    account: Account, points: int, at: datetime, fact_id: UUID, version: Version, cause: Cause
) -> None:
    """Points that were owed when they were spent: they lower the debt; where it was paid meanwhile, a new lot."""
    forgiven = min(points, account.debt)
    if forgiven:
        account.forgive(forgiven, at, fact_id, cause, _SOURCE)
    if points > forgiven:
        life = version.lot_life
        expires_at = None if life is None else lot_expiry(at, life, version.zone)
        lot = Lot(uuid5(fact_id, "owed"), fact_id, points - forgiven, 0, at, expires_at)
        account.issue(lot, at, fact_id, cause, _SOURCE)
