"""The fold: what each fact does to an account, and what time alone does between facts (P11, P13).

`advance` writes down what has become true by an instant; `apply` folds one fact; `fold` a whole history.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from regulars_loyalty.domain.account import Account, Bought, Bucket, Cause, Lot, Spend, Standing
from regulars_loyalty.domain.calendar import local_day, year_start
from regulars_loyalty.domain.facts import (
    Fact,
    PointsAdjusted,
    PointsRedeemed,
    PurchaseMade,
    PurchaseReturned,
    RedemptionReversed,
)
from regulars_loyalty.domain.pricing import Price, lot_end, price
from regulars_loyalty.domain.programme import Late, Programme, Version
from regulars_loyalty.domain.refusals import InsufficientPoints
from regulars_loyalty.domain.returning import take_back
from regulars_loyalty.domain.spending import consume, restore
from regulars_loyalty.domain.tiers import retier

_NOTHING = Fraction(0)


def fold(
    account_id: UUID, facts: Iterable[Fact], programme: Programme, until: datetime | None, *, judged: UUID | None = None
) -> Account:
    """Fold facts, given in the order of (`at`, arrival), into a new account and advance it to `until`.

    Accepted facts stay accepted: what they cannot have becomes debt. Only the fact named by `judged` may be refused.
    """
    account = Account(account_id)
    for fact in facts:
        apply(account, fact, programme, is_judged=fact.fact_id == judged)
    if until is not None:
        advance(account, programme, until)
    return account


def apply(account: Account, fact: Fact, programme: Programme, *, is_judged: bool) -> None:
    """Fold one fact, newer than all before it. A judged one raises InsufficientPoints rather than make debt."""
    advance(account, programme, fact.at)
    if isinstance(fact, PurchaseMade):
        _purchase(account, fact, programme, is_judged)
        return
    if isinstance(fact, PurchaseReturned):
        take_back(account, fact, programme.at(fact.at))
    elif isinstance(fact, PointsRedeemed):
        _spend(account, fact.points, fact, Bucket.REDEEMED, Cause.REDEMPTION, is_judged)
    elif isinstance(fact, RedemptionReversed):
        _reverse(account, fact, programme.at(fact.at))
    else:
        _adjust(account, fact, is_judged)
    account.touch(fact.at, is_calm=False)
    _retier(account, programme, fact.at)


def advance(account: Account, programme: Programme, to: datetime) -> None:
    """Write down what time alone has made true by `to`: at one instant lots expire first, then tiers end (P11)."""
    while account.next_due_at is not None and account.next_due_at <= to:
        at = account.next_due_at
        for lot in account.open_lots():
            if lot.expires_at is not None and lot.expires_at <= at:
                account.draw(lot, lot.remaining, lot.expires_at, lot.lot_id, Cause.EXPIRY, Bucket.EXPIRED)
        account.touch(at, is_calm=False)
        _retier(account, programme, at)
        account.next_due_at = None
        for lot in account.open_lots():
            account.due(lot.expires_at)
        account.due(_next_tier_end(account, programme.at(at), at))
    if account.newest_at is not None and account.newest_at <= to and _retier(account, programme, to):
        # A new version of the programme has other tiers.
        account.touch(to, is_calm=False)


def needs_lots(account: Account, fact: Fact) -> bool:
    """Whether folding this newest fact may touch lots that were there before."""
    if account.next_due_at is not None and account.next_due_at <= fact.at:
        return True
    if isinstance(fact, PurchaseMade):
        return fact.purchase.paid_in_points_minor > 0
    return not (isinstance(fact, PointsAdjusted) and fact.points > 0)


def is_late(account: Account, fact: Fact, programme: Programme) -> bool:
    """Whether the account must be folded again for this fact, because its place is before what was folded.

    A plain purchase commutes with its like: it is late only against an event of another kind (or any, under
    re-rate or in debt). So a card shared by several tills costs no second fold for a few disordered clocks.
    """
    if account.newest_at is None or fact.at >= account.newest_at:
        return False
    if not isinstance(fact, PurchaseMade) or fact.purchase.paid_in_points_minor or account.debt:
        return True
    version = programme.at(fact.at)
    if version.late is Late.RE_RATE or (account.calm_since is not None and fact.at < account.calm_since):
        return True
    expires_at = lot_end(fact.at, version)
    return expires_at is not None and expires_at <= account.newest_at


def _purchase(account: Account, fact: PurchaseMade, programme: Programme, is_judged: bool) -> None:
    version = programme.numbered(fact.version)
    priced = fact.price
    if priced is None or version.late is Late.RE_RATE:
        priced = price(fact.purchase, version, account.tier, account.visits)
    owed = account.debt
    if priced.paid:
        _spend(account, priced.paid, fact, Bucket.REDEEMED, Cause.TENDER, is_judged)
    if priced.earned:
        lot = Lot(fact.fact_id, fact.fact_id, priced.earned, 0, fact.at, priced.expires_at)
        account.issue(lot, fact.at, fact.fact_id, Cause.PURCHASE)
    account.bought[fact.fact_id] = _bought(fact, priced)
    account.visits += 1
    year = local_day(fact.at, version.zone).year
    account.standings.setdefault(year, Standing()).add(priced.credit)
    now = max(fact.at, account.newest_at or fact.at)
    changed = _retier(account, programme, now)
    account.due(_next_tier_end(account, version, now))
    # Which of two purchases paid a debt shows in their lots, so one that paid does not commute with its like.
    account.touch(fact.at, is_calm=not (changed or priced.paid or owed or version.late is Late.RE_RATE))


def _bought(fact: PurchaseMade, priced: Price) -> Bought:
    lines = fact.purchase.lines
    return Bought(fact.fact_id, fact.at, priced, tuple(line.net_minor for line in lines), [_NOTHING] * len(lines))


def _spend(account: Account, points: int, fact: Fact, target: Bucket, cause: Cause, is_judged: bool) -> None:
    if is_judged and points > account.spendable:
        raise InsufficientPoints("the account has too few spendable points for this", field="/points")
    account.spends[fact.fact_id] = Spend(consume(account, points, fact.at, fact.fact_id, target, cause))


def _adjust(account: Account, fact: PointsAdjusted, is_judged: bool) -> None:
    if fact.points > 0:
        lot = Lot(fact.fact_id, fact.fact_id, fact.points, 0, fact.at, fact.expires_at)
        account.issue(lot, fact.at, fact.fact_id, Cause.ADJUSTMENT)
    else:
        _spend(account, -fact.points, fact, Bucket.ADJUSTED, Cause.ADJUSTMENT, is_judged)


def _reverse(account: Account, fact: RedemptionReversed, version: Version) -> None:
    spend = account.spends[fact.redemption_id]
    restore(account, spend, fact.points, fact.at, fact.fact_id, version, Cause.REVERSAL)


def _retier(account: Account, programme: Programme, at: datetime) -> bool:
    version = programme.at(at)
    return retier(account, version, local_day(at, version.zone).year)


def _next_tier_end(account: Account, version: Version, at: datetime) -> datetime | None:
    """The next turn of the year, while a standing of this year or the last can still end with it."""
    year = local_day(at, version.zone).year
    counts = version.tiers and any(each >= year - 1 for each in account.standings)
    return year_start(year + 1, version.zone) if counts else None
