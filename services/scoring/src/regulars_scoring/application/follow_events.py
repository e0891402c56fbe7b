from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from regulars_kit.values import CustomerId
from regulars_scoring.application.keep_costs import keep_costs
from regulars_scoring.application.listening import Listening, Listens
from regulars_scoring.application.ports import House
from regulars_scoring.application.posting import post
from regulars_scoring.application.regroup import (
    Regrouped,
    hold_people,
    postings_anew,
    postings_of_others,
    regroup,
)
from regulars_scoring.domain.facts import ErasureCompleted
from regulars_scoring.domain.heard import Heard, Registration
from regulars_scoring.domain.purchases import (
    Claim,
    Posting,
    Purchase,
    Return,
    Sale,
    goods_told,
    posting_of,
    posting_of_unmatched,
    summed,
    told_of_purchases,
)


async def note_event(heard: Heard | None, begin: Listens) -> None:
    """Note what an event tells, if anything; it is followed before the commit, with all that share the transaction."""
    async with begin() as unit:
        if heard is not None:
            unit.note(heard)


async def follow_events(unit: Listening, house: House) -> None:
    """Take what the unit noted into the states and scores of the customers concerned, in as few statements for many
    as for one.

    A purchase, its claim and its returns may come in any order: nobody's is kept until it is claimed, and a return
    before its purchase waits for it. Customers may be merged and parted again at any time. What is known already
    changes nothing.
    """
    if not unit.noted:
        return
    noted = await hold_people(unit)
    currency, postings = await _keep(unit, noted)
    regrouped = await regroup(unit, noted)
    postings = await postings_of_others(unit, regrouped, postings)
    await unit.lock(_concerned(noted, regrouped, postings))
    await post(unit, summed([*postings, *await postings_anew(unit, regrouped, currency)]), house)
    await unit.announce([ErasureCompleted(customer_id, house.now()) for customer_id in regrouped.erased])


async def _keep(unit: Listening, noted: Sequence[Heard]) -> tuple[str | None, Sequence[Posting]]:
    """Keep the facts; answers with the currency that money is counted in, and what they put into the ledgers."""
    # Before the locks of the rest: the first purchase of all settles it, and others wait for that.
    currency = await unit.reporting_currency(_first_currency(noted))
    await keep_costs(unit, noted)
    returns = await unit.keep_returns(_once(each for each in noted if isinstance(each, Return)))
    told = told_of_purchases([*(each for each in noted if isinstance(each, Sale | Claim)), *returns])
    before = await unit.keep_purchases(told)
    await unit.keep_goods(goods_told([*(each for each in noted if isinstance(each, Sale)), *returns]))
    if currency is None and before:
        # Only returns and claims were noted, and one may have waited for the first purchase of all: it has settled it.
        currency = await unit.reporting_currency(None)
    return currency, [*_postings(before, told, currency), *_postings_of_unmatched(returns, currency)]


def _postings(
    before: Mapping[UUID, Purchase], told: Mapping[UUID, Purchase], currency: str | None
) -> Iterable[Posting]:
    for purchase_id, later in told.items():
        known = before.get(purchase_id)
        posting = posting_of(known, later if known is None else known.joined(later), currency)
        if posting is not None:
            yield posting


def _postings_of_unmatched(returns: Sequence[Return], currency: str | None) -> Iterable[Posting]:
    for each in returns:
        posting = posting_of_unmatched(each, currency) if each.purchase_id is None else None
        if posting is not None:
            yield posting


def _concerned(
    noted: Sequence[Heard], regrouped: Regrouped, postings: Sequence[Posting]
) -> Mapping[CustomerId, datetime | None]:
    """The customers, and when they registered where that was told."""
    concerned: dict[CustomerId, datetime | None] = {}
    for each in noted:
        if isinstance(each, Registration):
            concerned.setdefault(each.customer_id, each.at)
    for customer_id in (*regrouped.named, *regrouped.emptied, *(posting.customer_id for posting in postings)):
        concerned.setdefault(customer_id, None)
    return concerned


def _once(returns: Iterable[Return]) -> Sequence[Return]:
    first: dict[tuple[UUID, UUID | None], Return] = {}
    for each in returns:
        first.setdefault(each.key, each)
    return list(first.values())


def _first_currency(noted: Sequence[Heard]) -> str | None:
    return next((each.currency for each in noted if isinstance(each, Sale | Return)), None)
