"""Merged, parted and erased customers: whose purchases are whose from now on, and all of them counted again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from regulars_kit.values import CustomerId
from regulars_scoring.application.listening import Listening
from regulars_scoring.domain.heard import Erasure, Heard, ids_in, unlinked
from regulars_scoring.domain.merges import Merge, survivors_of
from regulars_scoring.domain.purchases import Posting, posting_of, posting_of_unmatched


@dataclass(frozen=True, slots=True)
class Regrouped:
    """`emptied` are customers whose purchases are others than before, `owners` has the ids whose facts are theirs now.

    `named` are all ids that were told of: each is a customer's, were there no purchase. `erased` are not any more.
    """

    named: Collection[CustomerId] = ()
    emptied: Collection[CustomerId] = ()
    owners: Mapping[CustomerId, CustomerId] = field(default_factory=dict)
    erased: Collection[CustomerId] = ()


async def hold_people(unit: Listening) -> Sequence[Heard]:
    """What the unit noted, without what it tells of people who are erased; of erasures those that are not done yet."""
    erasures = {each.customer_id for each in unit.noted if isinstance(each, Erasure)}
    alone = bool(erasures) or any(isinstance(each, Merge) for each in unit.noted)
    done = await unit.people.hold({each for heard in unit.noted for each in ids_in(heard)}, alone=alone)
    left = (unlinked(heard, erasures.union(done)) for heard in unit.noted)
    return [heard for heard in left if heard and not (isinstance(heard, Erasure) and heard.customer_id in done)]


async def regroup(unit: Listening, noted: Sequence[Heard]) -> Regrouped:
    """Who stands for whom once these merges, their undoings and these erasures are taken in.

    Only customers of whom they change something are `emptied`: each merge is told twice.
    """
    merges = [each for each in noted if isinstance(each, Merge)]
    erased = {each.customer_id for each in noted if isinstance(each, Erasure)}
    named = erased.union(*(merge.ids for merge in merges))
    if not named:
        return Regrouped()
    await unit.people.keep_merges(merges)
    before = await unit.people.groups_of(named)
    told = await unit.people.merges_among(before)
    after = {each: each for each in before} | {**survivors_of(merge for merge in told if merge.ids.isdisjoint(erased))}
    await unit.people.regroup(before, {each: survivor for each, survivor in after.items() if survivor != each})
    moved = {each for each in before if before[each] != after[each]} | erased
    emptied = {group[each] for each in moved for group in (before, after)}
    owners = {each: owner for each, owner in after.items() if owner in emptied and each not in erased}
    return Regrouped(named, emptied, owners, erased)


async def postings_anew(unit: Listening, regrouped: Regrouped, currency: str | None) -> Sequence[Posting]:
    """All that the regrouped customers, who are locked, have bought; their ledgers are emptied for it."""
    if not regrouped.emptied:
        return ()
    await unit.people.empty(regrouped.emptied)
    if regrouped.erased:
        await unit.people.erase(regrouped.erased)
    purchases = await unit.people.purchases(regrouped.owners)
    returns = await unit.people.unmatched_returns(regrouped.owners)
    postings = [
        *(posting_of(None, purchase, currency) for purchase in purchases),
        *(posting_of_unmatched(each, currency) for each in returns),
    ]
    return _owned(filter(None, postings), regrouped.owners)


async def postings_of_others(unit: Listening, regrouped: Regrouped, postings: Sequence[Posting]) -> Sequence[Posting]:
    """Postings to customers who are neither regrouped nor erased, as their surviving ids'.

    A return tells of a purchase, and not whose it was: of one that was an erased customer's until now, it is nobody's.
    """
    others = [each for each in postings if each.customer_id not in {*regrouped.owners, *regrouped.erased}]
    survivors = await unit.people.survivors_of({each.customer_id for each in others})
    return _owned(others, survivors)


def _owned(postings: Iterable[Posting], owners: Mapping[CustomerId, CustomerId]) -> Sequence[Posting]:
    return [replace(each, customer_id=owners.get(each.customer_id, each.customer_id)) for each in postings]
