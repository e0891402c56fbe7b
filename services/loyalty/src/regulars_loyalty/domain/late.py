"""A fact that arrives after newer ones: the account is folded again, and the ledger is told the differences (P13).

The difference is taken against what the ledger says, not against a remembered fold, so a second fold also mends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from regulars_kit.values import value
from regulars_loyalty.domain.account import Account, Bucket, Cause, Move
from regulars_loyalty.domain.facts import VOLUNTARY, Fact, PurchaseMade
from regulars_loyalty.domain.folding import fold
from regulars_loyalty.domain.pricing import price
from regulars_loyalty.domain.programme import Late, Programme
from regulars_loyalty.domain.refusals import InsufficientPoints

_FIRST = {bucket: place for place, bucket in enumerate(Bucket)}


@value
class MoveKey:
    """What makes two moves the same one: everything but how many points, in one canonical direction."""

    at: datetime
    source: Bucket
    target: Bucket
    lot_id: UUID | None
    fact_id: UUID
    cause: Cause


def net(moves: Iterable[Move]) -> Counter[MoveKey]:
    """The sum of moves by key; a move backwards counts against its twin."""
    sums: Counter[MoveKey] = Counter()
    for move in moves:
        forwards = _FIRST[move.source] < _FIRST[move.target]
        source, target = (move.source, move.target) if forwards else (move.target, move.source)
        key = MoveKey(move.at, source, target, move.lot_id, move.fact_id, move.cause)
        sums[key] += move.points if forwards else -move.points
    return sums


def differences(posted: Mapping[MoveKey, int], wanted: Iterable[Move]) -> list[Move]:
    """The moves that lead from what was posted to what is wanted: the latest are undone first, then done anew."""
    sums = net(wanted)
    changes = {key: sums[key] - posted.get(key, 0) for key in sums.keys() | posted.keys()}
    undone = [_move(key, points) for key, points in changes.items() if points and posted.get(key, 0)]
    done = [_move(key, points) for key, points in changes.items() if points and not posted.get(key, 0)]
    return sorted(undone, key=_order, reverse=True) + sorted(done, key=_order)


def _order(move: Move) -> tuple[datetime, str, str, str, str, str]:
    return (move.at, move.cause, str(move.fact_id), str(move.lot_id), move.source, move.target)


def _move(key: MoveKey, points: int) -> Move:
    source, target = (key.source, key.target) if points > 0 else (key.target, key.source)
    return Move(key.at, source, target, abs(points), key.lot_id, key.fact_id, key.cause)


def fold_late(
    account: Account, history: Sequence[Fact], posted: Mapping[MoveKey, int], fact: Fact, programme: Programme
) -> tuple[Account, Fact]:
    """Fold the whole history with `fact` in its place; the answer's `moves` are the differences to the ledger.

    Also answers with the fact as it was priced. Raises InsufficientPoints for a voluntary fact that its own
    instant cannot bear, or that would leave more debt than before.
    """
    if isinstance(fact, PurchaseMade) and fact.price is None:
        fact = _priced(account, history, fact, programme)
    in_order = _insert(history, fact)
    folded = fold(account.account_id, in_order, programme, account.newest_at, judged=fact.fact_id)
    if _is_voluntary(fact) and folded.debt > account.debt:
        raise InsufficientPoints("the points of that day were spent since; this would leave a debt", field="/points")
    folded.moves = differences(posted, folded.moves)
    return folded, fact


def _is_voluntary(fact: Fact) -> bool:
    return isinstance(fact, VOLUNTARY) or (isinstance(fact, PurchaseMade) and fact.purchase.paid_in_points_minor > 0)


def _insert(history: Sequence[Fact], fact: Fact) -> list[Fact]:
    """Put the fact behind all that happened at its instant or before: ties go by arrival."""
    before = [each for each in history if each.at <= fact.at]
    return [*before, fact, *history[len(before) :]]


def _priced(account: Account, history: Sequence[Fact], fact: PurchaseMade, programme: Programme) -> PurchaseMade:
    """Price a late purchase at the tier of its own time; conditions on visits count what has arrived (P9)."""
    version = programme.numbered(fact.version)
    if version.late is Late.RE_RATE:
        return fact
    then = fold(account.account_id, [each for each in history if each.at <= fact.at], programme, fact.at)
    return replace(fact, price=price(fact.purchase, version, then.tier, account.visits))
