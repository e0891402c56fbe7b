"""The ledger's laws (I1, I2, I6), checked from the moves alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from regulars_loyalty.domain.account import Account, Bucket, Move
from regulars_loyalty.domain.facts import Fact
from regulars_loyalty.domain.folding import advance, apply, fold
from regulars_loyalty.domain.programme import Programme

State = tuple[dict[UUID, int], dict[tuple[UUID, datetime | None], int], int, str | None]


def books(moves: Iterable[Move]) -> Counter[Bucket]:
    """What each bucket holds after the moves; the programme's buckets run below zero where points came from them."""
    held: Counter[Bucket] = Counter()
    for move in moves:
        assert move.points > 0, move
        held[move.source] -= move.points
        held[move.target] += move.points
    return held


def check_books(held: Mapping[Bucket, int], spendable: int, debt: int) -> None:
    """I1 and I6."""
    assert held.get(Bucket.SPENDABLE, 0) == spendable
    assert held.get(Bucket.DEBT, 0) == -debt
    taken = held.get(Bucket.CLAWED_BACK, 0) + held.get(Bucket.WRITTEN_OFF, 0)
    gone = held.get(Bucket.EXPIRED, 0) + held.get(Bucket.REDEEMED, 0) + taken + held.get(Bucket.ADJUSTED, 0)
    assert -held.get(Bucket.ISSUED, 0) == spendable - debt + gone, "I1"
    assert debt == 0 or spendable == 0, "I6"
    assert spendable >= 0
    assert debt >= 0


def check_lots(moves: Iterable[Move], account: Account) -> None:
    """I2: what the moves leave in a lot is what the account says, between 0 and what the lot was issued for."""
    remaining: defaultdict[UUID, int] = defaultdict(int)
    for move in moves:
        if move.lot_id is not None:
            remaining[move.lot_id] += move.points * ((move.target == "spendable") - (move.source == "spendable"))
    for lot in account.lots.values():
        assert remaining[lot.lot_id] == lot.remaining, lot
        assert 0 <= lot.remaining <= lot.issued, lot
    assert sum(lot.remaining for lot in account.lots.values()) == account.spendable


def check(account: Account, moves: Sequence[Move]) -> None:
    check_books(books(moves), account.spendable, account.debt)
    check_lots(moves, account)


def folded(facts: Iterable[Fact], programme: Programme, until: datetime | None = None) -> Account:
    """The account after these facts, one by one as they come, with the laws checked after each."""
    account = Account(UUID(int=1))
    for fact in facts:
        apply(account, fact, programme, is_judged=False)
        check(account, account.moves)
    if until is not None:
        advance(account, programme, until)
        check(account, account.moves)
    return account


def state_of(account: Account) -> State:
    """What must not depend on the order of arrival (P9): earned per purchase, lots by (origin, expiry), debt, tier."""
    earned = {purchase_id: bought.price.earned for purchase_id, bought in account.bought.items()}
    lots: Counter[tuple[UUID, datetime | None]] = Counter()
    for lot in account.open_lots():
        lots[lot.origin, lot.expires_at] += lot.remaining
    return earned, dict(lots), account.debt, account.tier


def whole_fold(facts: Iterable[Fact], programme: Programme, until: datetime | None) -> Account:
    """All facts folded anew in the order of their instants."""
    return fold(UUID(int=1), sorted(facts, key=lambda fact: fact.at), programme, until)
