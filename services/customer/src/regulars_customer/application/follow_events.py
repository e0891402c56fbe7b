from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from regulars_customer.application.ports import Listening, Listens
from regulars_customer.domain.facts import StageChanged
from regulars_customer.domain.heard import Heard, is_news, joined, newest
from regulars_customer.domain.life_cycle import LifeCycle, Move, Rules, judged
from regulars_customer.domain.timeline import Entry
from regulars_kit.values import Clock, CustomerId


async def note_event(heard: Heard, begin: Listens) -> None:
    """Note what an event tells; it is followed before the commit, together with all that share the transaction."""
    async with begin() as unit:
        unit.note(heard)


async def follow_events(unit: Listening, rules: Rules, now: Clock) -> None:
    """Put what the unit noted into the picture of the customers concerned, in as few statements for many as for one.

    Whoever it moves into another stage is announced.
    """
    if not unit.noted:
        return
    at = now()
    owners = await unit.keep_sales(joined(heard.sale for heard in unit.noted if heard.sale))
    await _judge(unit, _told_at(unit.noted, owners), rules, at)
    await unit.add_entries([_owned(entry, owners) for entry in await _keep_parts(unit, at)])


async def _keep_parts(unit: Listening, at: datetime) -> list[Entry]:
    """Keep the parts that are newer than what is known. The entries that are worth a line, in the order noted."""
    chosen = {part.key: part for part in newest(heard.part for heard in unit.noted if heard.part)}
    before = await unit.keep_parts(list(chosen.values()), at)

    def is_worth_it(heard: Heard) -> bool:
        if heard.part is None or not heard.news:
            return True
        key = heard.part.key
        return chosen[key] is heard.part and key in before and is_news(heard, before[key])

    return [heard.entry for heard in unit.noted if heard.entry and is_worth_it(heard)]


async def move_on(unit: Listening, life_cycles: Sequence[LifeCycle], rules: Rules, at: datetime) -> int:
    """Judge life cycles that are locked, keep them, announce who moved. How many did."""
    outcomes = [judged(life_cycle, rules, at) for life_cycle in life_cycles]
    await unit.keep_life_cycles([life_cycle for life_cycle, _ in outcomes])
    facts = [_announced(life_cycle.customer_id, move, at) for life_cycle, move in outcomes if move]
    await unit.announce(facts)
    return len(facts)


async def _judge(unit: Listening, told_at: Mapping[CustomerId, datetime], rules: Rules, at: datetime) -> None:
    if not told_at:
        return
    locked = await unit.lock_life_cycles(told_at.keys(), at)
    told = [replace(each, as_of=max(each.as_of, told_at[each.customer_id]), updated_at=at) for each in locked]
    await move_on(unit, told, rules, at)


def _told_at(noted: Sequence[Heard], owners: Mapping[UUID, CustomerId]) -> dict[CustomerId, datetime]:
    """When the newest of a customer's sales was told."""
    told: dict[CustomerId, datetime] = {}
    for heard in noted:
        owner = owners.get(heard.sale.id) if heard.sale else None
        if owner is not None:
            told[owner] = max(told.get(owner, heard.told_at), heard.told_at)
    return told


def _owned(entry: Entry, owners: Mapping[UUID, CustomerId]) -> Entry:
    if entry.customer_id is not None or entry.purchase_id is None:
        return entry
    return replace(entry, customer_id=owners.get(entry.purchase_id))


def _announced(customer_id: CustomerId, move: Move, at: datetime) -> StageChanged:
    return StageChanged(customer_id, at, move.from_stage, move.to_stage, move.reason, move.at)
