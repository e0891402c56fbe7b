"""Rules judged by looking at every fact, one by one: what the compiled rules must agree with.

It shares nothing with the compiler but the tree: no SQL, no roll-ups, sums over single receipts in whole cents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from regulars_campaign.domain.rules import (
    BalanceIs,
    Behaviour,
    Bounds,
    Deed,
    End,
    Every,
    HasConsent,
    Measure,
    Neither,
    Occurrence,
    Op,
    Rule,
    ScoreIs,
    ScoreWithin,
    Some,
    StageIs,
    TierIs,
    TraitIs,
    Where,
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A purchase or a return; `parts` are amounts by category (None: no category)."""

    id: UUID
    day: date
    store: str
    channel: str | None
    currency: str
    parts: tuple[tuple[str | None, int], ...]


@dataclass(slots=True)
class Person:
    """All that is true of a customer."""

    traits: Mapping[str, object] = field(default_factory=dict)
    consents: dict[tuple[str, str], bool] = field(default_factory=dict)
    stage: str | None = None
    tiers: dict[str, str] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    scores: dict[str, object] = field(default_factory=dict)
    purchases: list[Receipt] = field(default_factory=list)
    returns: list[Receipt] = field(default_factory=list)


def fulfils(rule: Rule, person: Person, today: date) -> bool:
    match rule:
        case Every(parts):
            return all(fulfils(part, person, today) for part in parts)
        case Some(parts):
            return any(fulfils(part, person, today) for part in parts)
        case Neither(parts):
            return not any(fulfils(part, person, today) for part in parts)
        case TraitIs(trait, values):
            value = person.traits.get(trait)
            return bool(set(value if isinstance(value, list | tuple) else [value]) & set(values))
        case HasConsent(purpose, channel):
            return person.consents.get((purpose, channel), False)
        case StageIs(stages):
            return person.stage in stages
        case TierIs(tiers, programme):
            return any(tier in tiers for name, tier in person.tiers.items() if programme in (None, name))
        case BalanceIs(bounds, programme):
            return any(holds(points, bounds) for name, points in person.balances.items() if programme in (None, name))
        case ScoreIs(score, words):
            return person.scores.get(score.value) in words
        case ScoreWithin(score, bounds, currency):
            if currency is not None and person.scores.get("currency") != currency:
                return False
            return holds(person.scores.get(score.value), bounds)
        case Behaviour():
            return holds(figure(rule, person, today), rule.bounds)
        case Occurrence():
            return occurred(rule, person, today)


def holds(value: object, bounds: Bounds) -> bool:
    if value is None:
        return False
    assert isinstance(value, int | Decimal | Fraction)
    compared = {
        Op.GTE: lambda left, right: left >= right,
        Op.GT: lambda left, right: left > right,
        Op.LTE: lambda left, right: left <= right,
        Op.LT: lambda left, right: left < right,
        Op.EQ: lambda left, right: left == right,
    }
    return all(compared[op](Fraction(value), Fraction(number)) for op, number in bounds)


def figure(rule: Behaviour, person: Person, today: date) -> Fraction | int | None:
    deeds = [deed for deed in counted(rule, person, today) if rule.currency in (None, deed.currency)]
    amounts = [amount_of(deed, rule.where) for deed in deeds]
    match rule.measure:
        case Measure.COUNT:
            return len(amounts)
        case Measure.SUM:
            return sum(amounts)
        case Measure.AVG:
            return Fraction(sum(amounts), len(amounts)) if amounts else None
        case Measure.MIN:
            return min(amounts, default=None)
        case Measure.MAX:
            return max(amounts, default=None)


def occurred(rule: Occurrence, person: Person, today: date) -> bool:
    days = [deed.day for deed in counted(rule, person, today)]
    if not days:
        return False
    day = min(days) if rule.end is End.FIRST else max(days)
    is_within = rule.within is None or day >= rule.within.before(today)
    return is_within and (rule.before is None or day < rule.before.before(today))


def counted(rule: Behaviour | Occurrence, person: Person, today: date) -> Sequence[Receipt]:
    """The deeds that the rule's window and place leave."""
    deeds = person.purchases if rule.deed is Deed.PURCHASES else person.returns
    where = rule.where
    return [
        deed
        for deed in deeds
        if (rule.window is None or rule.window.before(today) <= deed.day <= today)
        and (not where.stores or deed.store in where.stores)
        and (not where.channels or deed.channel in where.channels)
        and (not where.categories or any(category in where.categories for category, _ in deed.parts))
    ]


def amount_of(deed: Receipt, where: Where) -> int:
    return sum(net for category, net in deed.parts if not where.categories or category in where.categories)
