"""What every use case that moves points shares: a fact comes to a locked account, in its place in business time.

`accept` folds it (newest: on top; late: everything again) and turns the moves into postings. Nothing is stored
until the use case hands its `Writing` to the unit.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from regulars_kit.values import Refused
from regulars_loyalty.application.ports import History, LoyaltyUnit, Owner, Passbook
from regulars_loyalty.domain.account import Bucket, Cause
from regulars_loyalty.domain.announcements import (
    Announcement,
    BalanceAfter,
    BalanceChanged,
    PointsExpired,
    TierChanged,
)
from regulars_loyalty.domain.facts import Fact, PointsAdjusted, PurchaseMade, PurchaseReturned, RedemptionReversed
from regulars_loyalty.domain.folding import advance, apply, is_late, needs_lots
from regulars_loyalty.domain.late import fold_late, net
from regulars_loyalty.domain.posting import Posting, write_down
from regulars_loyalty.domain.pricing import Price
from regulars_loyalty.domain.programme import Programme, Version
from regulars_loyalty.domain.refusals import InTheFuture

_CLOCK_TOLERANCE = timedelta(minutes=5)


def check_not_in_the_future(at: datetime, now: datetime) -> None:
    """Raise InTheFuture for an instant more than five minutes ahead of the server's clock."""
    if at > now + _CLOCK_TOLERANCE:
        raise InTheFuture("occurred_at lies more than 5 minutes in the future; set the clock", field="/occurred_at")


async def accept(
    unit: LoyaltyUnit, passbook: Passbook, fact: Fact, programme: Programme, now: datetime
) -> tuple[list[Posting], bool]:
    """Fold a fact into the passbook's account; answers with its postings, and whether it was late.

    A refusal leaves nothing of the fact in the passbook.
    """
    late = is_late(passbook.account, fact, programme)
    if late:
        await _accept_late(unit, passbook, fact, programme)
    else:
        if needs_lots(passbook.account, fact):
            await _load_lots(unit, passbook, fact)
        _apply(passbook, fact, programme, now)
    passbook.next_fact_no()
    return _post(passbook, now, fact.fact_id if late else None), late


def settle(passbook: Passbook, programme: Programme, now: datetime) -> list[Posting]:
    """Write down what time alone has changed by `now`. The passbook has its lots."""
    advance(passbook.account, programme, now)
    return _post(passbook, now, None)


async def whole_history(unit: LoyaltyUnit, passbook: Passbook) -> History:
    """The stored history with what this unit has added to it."""
    stored = await unit.history(passbook.account.account_id, until=None, known_at=None)
    facts = sorted([*stored.facts, *passbook.facts], key=lambda fact: fact.at)
    posted = net(posting.move for posting in passbook.postings)
    posted.update(stored.posted)
    return History(tuple(facts), posted)


def _apply(passbook: Passbook, fact: Fact, programme: Programme, now: datetime) -> None:
    tier_before = passbook.account.tier
    try:
        apply(passbook.account, fact, programme, is_judged=True)
    except Refused:
        # What time alone changed before the refusal is true all the same; the account must not know more than
        # its postings.
        postings = _post(passbook, now, None)
        passbook.untold += tuple(side_effects(passbook, None, postings, tier_before, fact.at))
        raise
    passbook.facts.append(_as_priced(passbook, fact))


async def _accept_late(unit: LoyaltyUnit, passbook: Passbook, fact: Fact, programme: Programme) -> None:
    history = await whole_history(unit, passbook)
    if not passbook.has_lots:
        await unit.load_lots(passbook)
    folded, fact = fold_late(passbook.account, history.facts, history.posted, fact, programme)
    passbook.account = folded
    passbook.facts.append(_as_priced(passbook, fact))
    _note_repriced(passbook, history)


def _note_repriced(passbook: Passbook, history: History) -> None:
    """Under re-rate a late receipt may change what others earned; their rows follow, and what is still unstored."""
    prices = {each.fact_id: each.price for each in history.facts if isinstance(each, PurchaseMade)}
    for fact_id, price in prices.items():
        bought = passbook.account.bought[fact_id]
        if price is not None and _stored_part(bought.price) != _stored_part(price):
            passbook.repriced[fact_id] = bought
    passbook.facts = [_as_priced(passbook, fact) for fact in passbook.facts]


def _stored_part(price: Price) -> tuple[object, ...]:
    """What of a price is kept and can move with a late receipt: its explanation needs tier and visit, too."""
    return (price.earned, price.line_points, price.tier, price.visit)


def _as_priced(passbook: Passbook, fact: Fact) -> Fact:
    if isinstance(fact, PurchaseMade):
        price = passbook.account.bought[fact.fact_id].price
        return PurchaseMade(fact.fact_id, fact.at, fact.version, fact.purchase, price)
    return fact


async def _load_lots(unit: LoyaltyUnit, passbook: Passbook, fact: Fact) -> None:
    """Bring in the lots the fact may touch: the open ones, and closed ones that points may come back to."""
    if not passbook.has_lots:
        await unit.load_lots(passbook)
    if isinstance(fact, RedemptionReversed):
        await unit.load_spends(passbook, [fact.redemption_id])
    elif isinstance(fact, PurchaseReturned):
        account = passbook.account
        paid = {share.purchase_id for share in fact.shares if account.bought[share.purchase_id].price.paid}
        await unit.load_spends(passbook, sorted(paid - account.spends.keys()))


def _post(passbook: Passbook, now: datetime, late_fact_id: UUID | None) -> list[Posting]:
    account = passbook.account
    postings = write_down(account.account_id, passbook.seq, passbook.head, account.moves, now, late_fact_id)
    account.moves = []
    if postings:
        passbook.seq, passbook.head = postings[-1].account_seq, postings[-1].hash
        passbook.postings.extend(postings)
    return postings


def balance_after(passbook: Passbook) -> BalanceAfter:
    return BalanceAfter(passbook.account.spendable, passbook.account.debt, passbook.seq)


def side_effects(
    passbook: Passbook, fact: Fact | None, postings: list[Posting], tier_before: str | None, at: datetime
) -> list[Announcement]:
    """What a fact changed beside itself: points that expired, a tier that moved."""
    owner = passbook.owner
    said: list[Announcement] = []
    expired = sum(_expired(posting) for posting in postings)
    if expired > 0:
        balance = balance_after(passbook)
        said.append(PointsExpired(owner.customer_id, owner.programme, owner.wallet, expired, at, balance))
    elif fact is None and postings:
        said.append(BalanceChanged(owner.customer_id, owner.programme, owner.wallet, at, balance_after(passbook)))
    tier = passbook.account.tier
    if tier is not None and tier_before is not None and tier != tier_before:
        said.append(TierChanged(owner.customer_id, owner.programme, tier_before, tier, at, _tier_reason(fact)))
    return said


def take_untold(passbook: Passbook) -> tuple[Announcement, ...]:
    """What refused facts left to tell, for the one who stores the passbook; once."""
    told, passbook.untold = passbook.untold, ()
    return told


def tier_of(passbook: Passbook, version: Version) -> str | None:
    """The tier held before a purchase: on a new account it is everybody's, so a first purchase may move it."""
    held = version.tier(passbook.account.tier)
    return held.code if held else None


def _expired(posting: Posting) -> int:
    if posting.cause is not Cause.EXPIRY:
        return 0
    return posting.points if posting.target is Bucket.EXPIRED else -posting.points


def _tier_reason(fact: Fact | None) -> str:
    if fact is None:
        return "period_ended"
    return "returned" if isinstance(fact, PurchaseReturned) else "qualified"


def owner_of(customer_id: UUID, programme: Programme) -> Owner:
    return Owner(customer_id, programme.code, programme.wallet)


def is_grant(fact: Fact) -> bool:
    """Whether the fact may open an account: a purchase or a positive adjustment."""
    return isinstance(fact, PurchaseMade) or (isinstance(fact, PointsAdjusted) and fact.points > 0)
